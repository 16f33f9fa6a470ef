import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { JournalStudy } from '../../src/core/search/journalStudy.ts';
import { BuiltInStudy, settingsOf } from '../../src/core/search/study.ts';
import type { Trial } from '../../src/core/search/trial.ts';
import type { SearchParameter } from '../../src/shared/searchRecord.ts';
import { studySnapshotSchema } from '../../src/shared/studySnapshot.ts';
import { startLocalServer } from '../support/localServer.ts';
import { makePlace, runCli } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

const python = process.env.TUNING_FORK_PYTHON!;
const space: SearchParameter[] = [
  { name: 'learningRate', distribution: { kind: 'real', low: 1e-5, high: 1e-1, log: true } },
  { name: 'rank', distribution: { kind: 'integer', low: 4, high: 64, log: true } },
  { name: 'targetModules', distribution: { kind: 'choice', choices: ['q_proj,v_proj', 'all'] } },
];
const settings = {
  space,
  sampler: 'tpe',
  pruner: 'halving',
  budget: { trials: 30, minutes: null, tokens: null },
  seed: 1,
};

const openStudy = async (path: string) =>
  new BuiltInStudy(await JournalStudy.open({ path, name: 'study', direction: 'minimize', metric: 'loss' }), settings);

async function tryOut(study: BuiltInStudy, count: number): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (let i = 0; i < count; i++) {
    const trial = await study.ask();
    await study.name(trial, `run-${trial.number}`);
    const value = Math.abs(trial.parameters.get('rank')!.internal - 16) / 16;
    if (await study.report(trial, 25, value)) await study.end(trial, 'pruned');
    else await study.end(trial, 'complete', value);
    trials.push(trial);
  }
  return trials;
}

interface DashboardTrial {
  readonly number: number;
  readonly state: string;
  readonly values?: number[];
  readonly params: { name: string; param_external_value: string }[];
  readonly intermediate_values: { step: number; value: number }[];
  readonly user_attrs: { key: string; value: string }[];
}

/** The dashboard, started on the journal as a person would, shows every trial with what it has. */
async function expectInDashboard(journal: string, trials: readonly Trial[]): Promise<void> {
  const server = await startLocalServer({
    program: join(dirname(python), 'optuna-dashboard'),
    args: port => ['--host', '127.0.0.1', '--port', String(port), journal],
    folder: dirname(journal),
    healthPath: '/api/studies',
  });
  try {
    const read = async (path: string) => (await fetch(`${server.uri}${path}`)).json();
    expect(await read('/api/studies')).toMatchObject({
      study_summaries: [{ study_id: 0, study_name: 'study', directions: ['minimize'] }],
    });
    const { trials: shown } = (await read('/api/studies/0?after=0')) as { trials: DashboardTrial[] };
    expect(shown).toHaveLength(trials.length);
    for (const [i, trial] of trials.entries()) {
      const { number, state, values, params, intermediate_values, user_attrs } = shown[i]!;
      expect(number).toBe(trial.number);
      expect(state.toLowerCase()).toBe(trial.state);
      if (trial.state === 'complete') expect(values).toEqual([trial.value]);
      expect(intermediate_values).toEqual([...trial.intermediate].map(([step, value]) => ({ step, value })));
      expect(Object.fromEntries(user_attrs.map(({ key, value }) => [key, value]))).toEqual(
        Object.fromEntries(trial.userAttributes),
      );
      const texts = new Map(params.map(({ name, param_external_value }) => [name, param_external_value]));
      const { learningRate, rank, targetModules } = Object.fromEntries(settingsOf(trial));
      expect(Number(texts.get('learningRate')) / Number(learningRate)).toBeCloseTo(1, 5);
      expect([texts.get('rank'), texts.get('targetModules')?.replaceAll(/^["']|["']$/g, '')]).toEqual([
        rank,
        targetModules,
      ]);
    }
  } finally {
    await server.stop();
  }
}

describe("Optuna's journal", () => {
  it('is loaded and continued by Optuna in Python, and continued again here', async () => {
    const path = join(temporaryFolder(), 'optuna.journal');
    const ours = await tryOut(await openStudy(path), 6);
    const script = fileURLToPath(new URL('./optunaStudy.py', import.meta.url));
    const text = execFileSync(python, [script, path, '8'], { encoding: 'utf8', timeout: 120_000 });
    const { found, ...read } = JSON.parse(text) as { found: Record<string, unknown>[]; best: number };
    expect(read).toMatchObject({ direction: 'MINIMIZE', metric: ['loss'] });
    for (const [i, trial] of ours.entries()) {
      const { learningRate, rank, targetModules } = Object.fromEntries(settingsOf(trial));
      const shown = found[i] as { params: Record<string, number | string> };
      expect(shown).toMatchObject({
        number: i,
        state: trial.state === 'complete' ? 'COMPLETE' : 'PRUNED',
        intermediate: [[25, trial.intermediate.get(25)]],
        system: { completed_rung_0: trial.intermediate.get(25) },
        user: { run: `run-${i}` },
      });
      expect(shown.params).toMatchObject({ rank: Number(rank), targetModules });
      expect(shown.params.learningRate).toBeCloseTo(Number(learningRate), 6);
    }
    const study = await openStudy(path);
    const after = study.trials();
    expect(after).toHaveLength(14);
    expect(after.slice(6).every(({ parameters, state }) => parameters.size === 3 && state !== 'running')).toBe(true);
    await tryOut(study, 3);
    expect(execFileSync(python, [script, path, '1'], { encoding: 'utf8', timeout: 120_000 })).toContain('"number": 16');
    await expectInDashboard(path, (await openStudy(path)).trials());
  });

  it('thinks of trials in a search, with a sampler and a pruner of Optuna', async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'model'));
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const set = [
      'contextTokens=48',
      'batchRows=2',
      'maxSteps=8',
      'threads=1',
      'evalEverySteps=2',
      'learningRate=0.005',
    ];
    const { code, lines, errorText } = await runCli(
      [
        ...['search', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', '--trials', '3', '--parallel', '1'],
        ...['--sampler', 'optuna:TPESampler', '--pruner', 'optuna:HyperbandPruner', '--space', 'rank=4..16:log'],
        ...set.flatMap(setting => ['--set', setting]),
      ],
      { ...place, env: { ...place.env, TUNING_FORK_PYTHON: python } },
    );
    expect(`${code} ${errorText}`).toMatch(/^0 /);
    const { path } = lines[0] as unknown as { path: string };
    const { trials } = studySnapshotSchema.parse(JSON.parse(readFileSync(join(path, 'study.json'), 'utf8')));
    expect(trials).toHaveLength(3);
    expect(trials[0]!.settings).toEqual({ rank: '16' });
    expect(new Set(trials.map(({ run }) => run)).size).toBe(3);
  });

  it("ends bad trials early by Optuna's pruner", async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'model'));
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const set = ['contextTokens=48', 'batchRows=2', 'maxSteps=200', 'threads=1', 'evalEverySteps=10'];
    const { code, lines, errorText } = await runCli(
      [
        ...['search', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', '--trials', '4', '--parallel', '1'],
        ...['--sampler', 'optuna:RandomSampler', '--pruner', 'optuna:SuccessiveHalvingPruner'],
        ...['--space', 'learningRate=0.0000001..0.05:log'],
        ...[...set, 'learningRate=0.005', 'earlyStoppingPatience=0'].flatMap(setting => ['--set', setting]),
      ],
      { ...place, env: { ...place.env, TUNING_FORK_PYTHON: python } },
    );
    expect(`${code} ${errorText}`).toMatch(/^0 /);
    const { path } = lines[0] as unknown as { path: string };
    const { trials } = studySnapshotSchema.parse(JSON.parse(readFileSync(join(path, 'study.json'), 'utf8')));
    const pruned = trials.filter(({ state }) => state === 'pruned');
    expect(pruned.length).toBeGreaterThan(0);
    for (const { curve } of pruned) expect(curve.at(-1)![0]).toBeLessThan(100);
  });

  it('says what to do when Optuna has no such sampler', async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'model'));
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const { code, lines } = await runCli(
      [
        'search',
        'rows.jsonl',
        '--model',
        model,
        '--runs',
        'store',
        '--json',
        '--trials',
        '2',
        '--sampler',
        'optuna:NoSuchSampler',
      ],
      { ...place, env: { ...place.env, TUNING_FORK_PYTHON: python } },
    );
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      type: 'error',
      message: expect.stringContaining('NoSuchSampler'),
      hint: expect.stringContaining('--sampler tpe'),
    });
  });
});
