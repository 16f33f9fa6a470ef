import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { followRun } from '../../../../src/core/trackers/followRun.ts';
import { writeMetricValue } from '../../../../src/core/trackers/mlflowClient.ts';
import { MlflowTracker } from '../../../../src/core/trackers/mlflowTracker.ts';
import { TensorboardTracker } from '../../../../src/core/trackers/tensorboardTracker.ts';
import type { Tracker } from '../../../../src/core/trackers/tracker.ts';
import { readReport } from '../../../../src/core/trackers/trackerFiles.ts';
import { type WandbMessage, WandbTracker } from '../../../../src/core/trackers/wandbTracker.ts';
import { TuneError } from '../../../../src/shared/errors.ts';
import type { TrackerTarget } from '../../../../src/shared/trackers.ts';
import { FakeMlflow, type Fault } from '../../../support/fakeMlflow.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { makeEvaluation, makeStatus, makeStep, writeRun } from '../../host/runFixture.ts';

const id = '20261124-093000-capitals-1f3a';
const identity = { pid: process.pid, startTime: '1', nonce: '0'.repeat(32) };
const notes = { name: 'capitals', tags: ['try'], note: '', pinned: false };
const line = (row: object) => `${JSON.stringify(row)}\n`;
const steps = (from: number, to: number, attempt = 1) =>
  Array.from({ length: to - from + 1 }, (_, i) => line(makeStep(from + i, { attempt }))).join('');

function makeRun(metrics: string, changes: Record<string, unknown> = {}): string {
  return writeRun(temporaryFolder(), id, {
    'notes.json': notes,
    'metrics.jsonl': metrics,
    'status.json': makeStatus({ state: 'finished', identity: null }),
    ...changes,
  });
}

/** Waits are not waited: `onWait` hears how long they would be, and may stop the following by returning true. */
async function follow(
  run: string,
  target: TrackerTarget,
  tracker: Tracker,
  onWait: (ms: number) => boolean | undefined | Promise<boolean | undefined> = () => undefined,
): Promise<void> {
  let isUnwanted = false;
  let clock = Date.parse('2026-11-24T10:00:00Z');
  await followRun({
    run,
    target,
    tracker,
    identity,
    sleep: async ms => {
      clock += ms;
      if ((await onWait(ms)) === true) isUnwanted = true;
    },
    now: () => clock,
    isUnwanted: () => isUnwanted,
  });
}

describe('followRun to MLflow', () => {
  const targetOf = (uri: string) => ({ kind: 'mlflow', uri, experiment: 'team' }) as const;
  const trackTo = (run: string, uri: string, onWait?: Parameters<typeof follow>[3]) =>
    follow(run, targetOf(uri), new MlflowTracker(targetOf(uri), 'Bearer secret'), onWait);
  const namesOf = (server: FakeMlflow, key: string) =>
    server.metrics.filter(metric => metric.key === key).map(({ step, value }) => `${step} ${value}`);
  const expected = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => `${from + i} ${3 - (from + i) / 100}`);

  it('sends parameters as text, every row once, files, and the end', async () => {
    const server = await FakeMlflow.start();
    const run = makeRun(line(makeEvaluation(0)) + steps(1, 1300) + line(makeEvaluation(1300, { evalLossNats: 1 })), {
      'samples.jsonl': line({ attempt: 1, step: 1300, prompt: 'a', text: 'b' }),
      'adapter/adapter_model.safetensors': 'weights',
    });
    await trackTo(run, server.uri);
    expect(namesOf(server, 'train/loss')).toEqual(expected(1, 1300));
    expect(namesOf(server, 'eval/loss')).toEqual(['0 2.5', '1300 1']);
    expect(server.params.get('rank')).toBe('16');
    expect([...server.params.values()].every(value => typeof value === 'string' && value !== '')).toBe(true);
    expect(server.largestBatch.metrics).toBe(1000);
    expect(server.largestBatch.params).toBeLessThanOrEqual(100);
    expect([...server.files.keys()]).toEqual(
      ['run.json', 'samples.jsonl', 'adapter/adapter_model.safetensors'].map(name => `7/r1/artifacts/${name}`),
    );
    expect(server.status).toBe('FINISHED');
    expect([...server.authorizations]).toEqual(['Bearer secret']);
    const report = readReport(run, 'mlflow');
    expect(report).toMatchObject({ state: 'caughtUp', error: null, identity: null, position: { step: 1300 } });
    expect(report?.link).toBe(`${server.uri}/#/experiments/7/runs/r1`);
    expect(JSON.stringify(report)).not.toContain('secret');
    // Nothing is left to tell: what was said of it stays.
    await trackTo(run, server.uri);
    expect(readReport(run, 'mlflow')).toMatchObject({ state: 'caughtUp', link: report?.link, memory: report?.memory });
  });

  it('writes values that are no numbers as MLflow reads them', () => {
    expect([Number.NaN, Infinity, -Infinity, 0.5].map(writeMetricValue)).toEqual(['NaN', 'Infinity', '-Infinity', 0.5]);
  });

  it.each([
    ['answers with 500', ['error', 'error', 'error', 'error']],
    [
      'answers with 500 although it kept the request',
      ['errorAfter', 'errorAfter', 'errorAfter', 'errorAfter', 'errorAfter'],
    ],
    ['breaks connections', ['cut', 'cut', 'cut', 'cut', 'cut', 'cut', 'cut']],
    [
      'fails now and then',
      [
        { slowMs: 1 },
        'error',
        { slowMs: 1 },
        { slowMs: 1 },
        'cut',
        { slowMs: 1 },
        { slowMs: 1 },
        { slowMs: 1 },
        'errorAfter',
      ],
    ],
  ] satisfies [string, Fault[]][])('loses nothing and tells nothing twice when the server %s', async (_, faults) => {
    const server = await FakeMlflow.start();
    server.faults = [...faults];
    const waits: number[] = [];
    await trackTo(makeRun(steps(1, 700)), server.uri, ms => void waits.push(ms));
    expect(server.faults).toEqual([]);
    expect(namesOf(server, 'train/loss').sort()).toEqual(expected(1, 700).sort());
    expect(server.runsCreated).toBe(1);
    expect(waits.length).toBeGreaterThan(0);
    expect(server.status).toBe('FINISHED');
  });

  it('waits longer each time while the server is down, says so calmly, and catches up when it is back', async () => {
    const server = await FakeMlflow.start();
    const { port, uri } = server;
    await server.stop();
    const run = makeRun(steps(1, 5));
    const waits: number[] = [];
    let back: FakeMlflow | undefined;
    await trackTo(run, uri, async ms => {
      waits.push(ms);
      if (waits.length < 12) {
        expect(readReport(run, 'mlflow')).toMatchObject({ state: 'waiting', error: { code: 'tracker' } });
        expect(readReport(run, 'mlflow')?.error?.message).toContain('ECONNREFUSED');
      }
      if (waits.length === 12) back = await FakeMlflow.start(port);
      return undefined;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map(s => s * 1000));
    expect(namesOf(back!, 'train/loss')).toEqual(expected(1, 5));
    expect(readReport(run, 'mlflow')).toMatchObject({ state: 'caughtUp', error: null, retryAt: null });
  });

  it('gives up a day after the run has ended, and goes on when somebody asks', async () => {
    const run = makeRun(steps(1, 5));
    let waitedMs = 0;
    await trackTo(run, 'http://127.0.0.1:9', ms => void (waitedMs += ms));
    expect(waitedMs).toBeGreaterThan(24 * 3_600_000);
    expect(waitedMs).toBeLessThan(25 * 3_600_000);
    expect(readReport(run, 'mlflow')).toMatchObject({ state: 'waiting', identity: null });
  });

  it('asks a server that refuses the key only rarely, and says what to do', async () => {
    const server = await FakeMlflow.start();
    server.faults = ['refuse'];
    const run = makeRun(steps(1, 5));
    const waits: number[] = [];
    await trackTo(run, server.uri, ms => {
      if (waits.push(ms) === 1) expect(readReport(run, 'mlflow')?.error?.hint).toContain('Set MLflow Token');
      return undefined;
    });
    expect(waits).toEqual([30_000]);
    expect(namesOf(server, 'train/loss')).toEqual(expected(1, 5));
  });

  it('goes on with the same MLflow run after it was killed at any place, and after a resume', async () => {
    const server = await FakeMlflow.start();
    const run = makeRun(steps(1, 40), {
      'status.json': makeStatus({ state: 'interrupted' as 'failed', identity: null }),
    });
    writeFileSync(join(run, 'status.json'), JSON.stringify(makeStatus({ state: 'paused', identity: null })));
    await trackTo(run, server.uri);
    expect(server.status).toBe('SCHEDULED');
    // The position of an earlier moment: what came after it has arrived, but nobody kept that.
    const report = readReport(run, 'mlflow')!;
    const stale = {
      ...report,
      position: { ...report.position, metricsBytes: steps(1, 20).length, step: 20, ended: null },
    };
    writeFileSync(join(run, 'trackers/mlflow.json'), JSON.stringify(stale));
    await trackTo(run, server.uri);
    expect(namesOf(server, 'train/loss')).toEqual(expected(1, 40));
    rmSync(join(run, 'trackers/mlflow.json'));
    appendFileSync(join(run, 'metrics.jsonl'), steps(31, 50, 2));
    writeFileSync(
      join(run, 'status.json'),
      JSON.stringify(makeStatus({ state: 'finished', attempt: 2, identity: null })),
    );
    await trackTo(run, server.uri);
    expect(new Set(namesOf(server, 'train/loss'))).toEqual(new Set(expected(1, 50)));
    expect(server.runsCreated).toBe(1);
    expect(server.status).toBe('FINISHED');
  });

  it('ends when the run is deleted, and makes nothing anew', async () => {
    const server = await FakeMlflow.start();
    const run = makeRun(steps(1, 5), { 'status.json': makeStatus({ heartbeatAt: '2026-11-24T10:00:00Z' }) });
    await trackTo(run, server.uri, () => {
      if (existsSync(run)) renameSync(run, `${run}.gone`);
      return undefined;
    });
    expect(existsSync(run)).toBe(false);
    expect(namesOf(server, 'train/loss')).toEqual(expected(1, 5));
  });
});

describe('followRun to TensorBoard', () => {
  const target = { kind: 'tensorboard', folder: null } as const;
  const readEvents = (run: string) => readFileSync(String(readReport(run, 'tensorboard')!.memory.path));

  it('writes the same bytes at once, in pieces, and after being cut anywhere', async () => {
    const text = line(makeEvaluation(0)) + steps(1, 30) + line(makeEvaluation(30));
    const whole = makeRun(text);
    await follow(whole, target, new TensorboardTracker(null));
    const pieces = makeRun(text.slice(0, 1000), { 'status.json': makeStatus({ heartbeatAt: '2026-11-24T10:00:00Z' }) });
    let end = 1000;
    await follow(pieces, target, new TensorboardTracker(null), () => {
      const { path, bytes } = readReport(pieces, 'tensorboard')!.memory;
      // A process that was killed had written more than it kept.
      appendFileSync(String(path), 'half a record');
      expect(statSync(String(path)).size).toBeGreaterThan(Number(bytes));
      appendFileSync(join(pieces, 'metrics.jsonl'), text.slice(end, end + 1777));
      end += 1777;
      if (end < text.length) return undefined;
      writeFileSync(join(pieces, 'status.json'), JSON.stringify(makeStatus({ state: 'finished', identity: null })));
      return undefined;
    });
    expect(readEvents(pieces).equals(readEvents(whole))).toBe(true);
  });

  it('writes everything anew when the file is gone', async () => {
    const run = makeRun(steps(1, 5));
    await follow(run, target, new TensorboardTracker(null));
    const before = readEvents(run);
    rmSync(String(readReport(run, 'tensorboard')!.memory.path));
    appendFileSync(join(run, 'metrics.jsonl'), steps(6, 6));
    await follow(run, target, new TensorboardTracker(null));
    expect(readEvents(run).length).toBeGreaterThan(before.length);
  });

  it('waits for a place that can be written', async () => {
    const run = makeRun(steps(1, 5));
    const folder = join(temporaryFolder(), 'team');
    writeFileSync(folder, 'a file stands in the way');
    const elsewhere = { kind: 'tensorboard', folder } as const;
    await follow(run, elsewhere, new TensorboardTracker(folder), () => {
      expect(readReport(run, 'tensorboard')).toMatchObject({ state: 'waiting', error: { code: 'not-writable' } });
      rmSync(folder);
      mkdirSync(folder);
      return undefined;
    });
    expect(existsSync(join(folder, id))).toBe(true);
  });
});

describe('followRun to Weights & Biases', () => {
  const target = { kind: 'wandb', project: 'p', entity: null, baseUrl: null } as const;

  it('tells growing steps only: a resumed run is written anew, as it stands', async () => {
    const sessions: WandbMessage[][] = [];
    const tracker = new WandbTracker(target, () => {
      const said: WandbMessage[] = [];
      sessions.push(said);
      return {
        send: async message => {
          said.push(message);
          return message.type === 'init' ? { folder: `/offline-run-${sessions.length}` } : {};
        },
        close: async () => undefined,
      };
    });
    const run = makeRun(steps(1, 8), { 'status.json': makeStatus({ heartbeatAt: '2026-11-24T10:00:00Z' }) });
    let waits = 0;
    await follow(run, target, tracker, () => {
      if (++waits !== 1) return undefined;
      appendFileSync(join(run, 'metrics.jsonl'), steps(5, 10, 2));
      writeFileSync(
        join(run, 'status.json'),
        JSON.stringify(makeStatus({ state: 'finished', attempt: 2, identity: null })),
      );
      return undefined;
    });
    const told = sessions.map(said => said.flatMap(m => (m.type === 'log' ? m.rows.map(row => row.step) : [])));
    expect(told).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ]);
    expect(sessions.at(-1)?.at(-1)).toEqual({ type: 'finish', state: 'finished' });
  });

  it('says when the library is not there, and never disturbs the run', async () => {
    const tracker = new WandbTracker(target, () => ({
      send: async () => {
        throw new TuneError('tracker', 'python3: expected the library, got ENOENT', { hint: 'Install it.' });
      },
      close: async () => undefined,
    }));
    const run = makeRun(steps(1, 3));
    await follow(run, target, tracker, () => true);
    expect(readReport(run, 'wandb')).toMatchObject({
      state: 'waiting',
      error: { hint: 'Install it.' },
      identity: null,
    });
  });
});
