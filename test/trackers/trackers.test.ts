import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMetrics } from '../../src/shared/runState.ts';
import { requirePython } from '../support/externals.ts';
import { FakeWandb } from '../support/fakeWandb.ts';
import type { LocalServer } from '../support/localServer.ts';
import { makePlace, type Place, runCli } from '../support/programs.ts';
import { makeTemporaryFolder } from '../support/temporaryFolder.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';
import { makeEvaluation, makeStatus, makeStep, writeRun } from '../unit/host/runFixture.ts';
import { startMlflowServer } from './mlflowServer.ts';

const readBack = fileURLToPath(new URL('./readBack.py', import.meta.url));
const id = '20261124-093000-capitals-1f3a';
const line = (row: object) => `${JSON.stringify(row)}\n`;
const steps = (from: number, to: number, attempt = 1) =>
  Array.from({ length: to - from + 1 }, (_, i) => line(makeStep(from + i, { attempt }))).join('');

type Points = [step: number, value: number, time: number][];
interface TensorboardRun {
  scalars: Record<string, Points>;
  texts: Record<string, [number, string][]>;
  hparams: Record<string, unknown>;
}
interface MlflowRun {
  status: string;
  name: string;
  params: Record<string, string>;
  tags: Record<string, string>;
  metrics: Record<string, Points>;
  files: string[];
}
interface WandbRun {
  history: Record<string, number>[];
  config: Record<string, unknown>;
  artifacts: string[];
  exits: unknown[];
}

describe('trackers', () => {
  const folder = makeTemporaryFolder();
  let python = '';
  let mlflow: LocalServer | undefined;

  beforeAll(async () => {
    python = requirePython();
    mlflow = await startMlflowServer(python, folder.path);
  });
  afterAll(async () => {
    await mlflow?.stop();
    folder.remove();
  });

  const read = <T>(...args: string[]) =>
    JSON.parse(execFileSync(python, [readBack, ...args], { encoding: 'utf8' })) as T;
  const targets = (to: 'to' | 'track') => [
    ...['tensorboard', 'mlflow', 'wandb'].flatMap(kind => [`--${to}`, kind]),
    ...['--mlflow-uri', mlflow!.uri, '--mlflow-experiment', 'team', '--python', python],
  ];
  const readReports = (run: string) =>
    Object.fromEntries(
      ['tensorboard', 'mlflow', 'wandb'].map(kind => [
        kind,
        JSON.parse(readFileSync(join(run, 'trackers', `${kind}.json`), 'utf8')) as {
          link: string;
          memory: { runId: string };
        },
      ]),
    );
  function readAll(run: string) {
    const { tensorboard, mlflow: report, wandb } = readReports(run);
    return {
      tensorboard: read<TensorboardRun>('tensorboard', tensorboard!.link),
      mlflow: read<MlflowRun>('mlflow', mlflow!.uri, report!.memory.runId),
      wandb: read<WandbRun>('wandb', wandb!.link),
    };
  }
  const track = (place: Place, run: string, more: readonly string[] = targets('to')) =>
    runCli(['track', run, '--json', ...more], place);

  it('says in all three what the run folder says, reported beside the run', async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'model'));
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const sets = [
      'maxSteps=6',
      'evalEverySteps=2',
      'contextTokens=48',
      'batchRows=2',
      'learningRate=0.01',
      'samplePrompts=a b',
    ];
    const train = ['train', 'rows.jsonl', '--model', model, '--runs', 'store', '--json'];
    const trained = await runCli([...train, ...sets.flatMap(set => ['--set', set]), ...targets('track')], place);
    expect(trained.code, trained.errorText).toBe(0);
    const run = join(place.store, 'runs', readdirSync(join(place.store, 'runs'))[0]!);
    // Waits for the process that the trainer started, or does what it left.
    expect((await track(place, run)).lines.at(-1)).toMatchObject({
      trackers: ['tensorboard', 'mlflow', 'wandb'].map(kind => ({ kind, state: 'caughtUp', step: 6, error: null })),
    });
    const { steps: rows, evaluations } = parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));
    const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as { createdAt: string };
    const told = readAll(run);
    const losses = rows.map(row => [row.step, row.lossNats]);
    const evalLosses = evaluations.map(row => [row.step, row.evalLossNats]);
    const pairs = (points: Points | undefined) => points?.map(([step, value]) => [step, value]);
    const rounded = (values: number[][]) => values.map(([step, value]) => [step, Math.fround(value!)]);

    expect(pairs(told.tensorboard.scalars['train/loss'])).toEqual(rounded(losses));
    expect(pairs(told.tensorboard.scalars['eval/loss'])).toEqual(rounded(evalLosses));
    expect(told.tensorboard.hparams).toMatchObject({ learning_rate: 0.01, rank: 16, model, packing: true });
    expect(told.tensorboard.texts['recipe/text_summary']?.[0]?.[1]).toContain('| learning_rate | 0.01 |');
    expect(told.tensorboard.texts['samples/1/text_summary']?.map(([step]) => step)).toEqual([0, 2, 4, 6]);

    expect(pairs(told.mlflow.metrics['train/loss'])).toEqual(losses);
    expect(pairs(told.mlflow.metrics['eval/loss'])).toEqual(evalLosses);
    const times = told.mlflow.metrics['train/loss']!.map(([, , time]) => time);
    expect(times).toEqual(rows.map(row => Math.round(Date.parse(record.createdAt) + row.elapsedMs)));
    expect(told.mlflow).toMatchObject({ status: 'FINISHED', params: { learning_rate: '0.01', rank: '16' } });
    expect(told.mlflow.files).toContain('adapter/adapter_model.safetensors');
    expect(told.mlflow.files).toContain('samples.jsonl');
    const sent = join(
      folder.path,
      'files',
      '1',
      readReports(run).mlflow!.memory.runId,
      'artifacts/adapter/adapter_model.safetensors',
    );
    expect(statSync(sent).size).toBe(statSync(join(run, 'adapter/adapter_model.safetensors')).size);

    const history = (name: string) => told.wandb.history.filter(row => name in row).map(row => [row._step, row[name]]);
    expect(history('train/loss')).toEqual(losses);
    expect(history('eval/loss')).toEqual(evalLosses);
    expect(told.wandb.config).toMatchObject({ learning_rate: 0.01, rank: 16 });
    expect(told.wandb.artifacts).toContain(`adapter-${run.split('/').at(-1)}`);
    expect(told.wandb.exits).toHaveLength(1);
  });

  it('shows the rows that stand after a resume, in the same MLflow run', async () => {
    const place = makePlace();
    const run = writeRun(place.store, id, {
      'notes.json': { name: 'capitals', tags: ['first try'], note: '', pinned: false },
      'status.json': makeStatus({ state: 'paused', identity: null }),
      'metrics.jsonl': line(makeEvaluation(0)) + steps(1, 1200),
    });
    expect((await track(place, run)).code).toBe(0);
    const before = readReports(run);
    appendFileSync(join(run, 'metrics.jsonl'), `{"kind":"step","att\n${steps(1101, 1250, 2)}`);
    writeFileSync(
      join(run, 'status.json'),
      JSON.stringify(makeStatus({ state: 'finished', attempt: 2, identity: null })),
    );
    expect((await track(place, run)).code).toBe(0);
    const told = readAll(run);
    const all = Array.from({ length: 1250 }, (_, i) => i + 1);
    expect(told.tensorboard.scalars['train/loss']?.map(([step]) => step)).toEqual(all);
    expect(told.wandb.history.filter(row => 'train/loss' in row).map(row => row._step)).toEqual(all);
    expect(readReports(run).mlflow?.memory.runId).toBe(before.mlflow?.memory.runId);
    expect(new Set(told.mlflow.metrics['train/loss']?.map(([step]) => step))).toEqual(new Set(all));
    expect(told.mlflow.tags).toMatchObject({
      'tuning_fork.resumed_from_step': '1101',
      'tuning_fork.tag.first_try': 'true',
    });
  });

  it('uploads the offline run when it is asked to, twice with the same result, and keeps the key nowhere', async () => {
    const place = makePlace();
    const server = await FakeWandb.start();
    const run = writeRun(place.store, id, {
      'notes.json': { name: 'capitals', tags: [], note: '', pinned: false },
      'status.json': makeStatus({ state: 'finished', identity: null }),
      'metrics.jsonl': line(makeEvaluation(0)) + steps(1, 5),
    });
    const key = 'secret0123456789secret0123456789secret0123456789';
    const env = { ...place.env, WANDB_API_KEY: key };
    const wandb = ['--to', 'wandb', '--wandb-url', server.uri, '--wandb-project', 'support', '--python', python];
    const refused = await track(place, run, [...wandb, '--sync']);
    expect(refused.lines.at(-1)).toMatchObject({ type: 'error', code: 'tracker' });
    expect(server.authorizations.size).toBe(0); // nothing leaves the machine unasked
    for (let time = 1; time <= 2; time++) {
      const { code, errorText } = await track({ ...place, env }, run, [...wandb, '--sync']);
      expect(code, errorText).toBe(0);
      expect(errorText).toContain(`${server.uri}/team/support/runs/${id}`);
      expect(server.history.map(row => row._step)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(server.history.at(-1)?.['train/loss']).toBe(3 - 5 / 100);
    }
    expect(
      [...server.authorizations].some(text => Buffer.from(text.replace('Basic ', ''), 'base64').includes(key)),
    ).toBe(true);
    for (const file of readdirSync(place.folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(place.folder, file);
      if (existsSync(path) && statSync(path).isFile()) expect(readFileSync(path).includes(key), file).toBe(false);
    }
  });
});
