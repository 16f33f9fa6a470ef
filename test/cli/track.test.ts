import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../src/shared/runState.ts';
import type { TrackerReport } from '../../src/shared/trackers.ts';
import { FakeMlflow } from '../support/fakeMlflow.ts';
import { makePlace, runCli, startCli, waitUntil } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';
import { makeStatus, makeStep, writeRun } from '../unit/host/runFixture.ts';

const id = '20261124-093000-capitals-1f3a';

function readReport(run: string): TrackerReport | undefined {
  const path = join(run, 'trackers/mlflow.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as TrackerReport) : undefined;
}

describe('tuning-fork track', () => {
  it('loses nothing and tells nothing twice while server and tracker break, and the run ends as if nothing were', async () => {
    const place = makePlace();
    const server = await FakeMlflow.start();
    server.faults = [{ slowMs: 10 }, 'cut', { slowMs: 10_000 }, 'errorAfter'];
    const model = writeTinyModel(join(place.folder, 'model'));
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const settings = ['maxSteps=12', 'evalEverySteps=4', 'contextTokens=48', 'batchRows=2', 'threads=1'];
    const sets = settings.flatMap(setting => ['--set', setting]);
    const to = ['--mlflow-uri', server.uri];
    const train = ['train', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', ...sets];
    const trained = startCli([...train, '--track', 'mlflow', ...to], place);
    const run = await waitUntil('the run', () => trained.lines.find(line => line.type === 'run')?.path as string);
    const first = await waitUntil('a tracker', () => readReport(run)?.identity ?? undefined);
    expect((await trained.ended).code).toBe(0);
    // Killed while a server of ten seconds keeps it waiting.
    process.kill(first.pid, 'SIGKILL');
    const { code, errorText } = await runCli(['track', run, '--to', 'mlflow', ...to, '--json'], place);
    expect(code, errorText).toBe(0);
    const { steps } = parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));
    const told = server.metrics.filter(metric => metric.key === 'train/loss');
    expect(told.map(({ step, value }) => [step, value])).toEqual(steps.map(row => [row.step, row.lossNats]));
    expect(server.runsCreated).toBe(1);
    expect(server.status).toBe('FINISHED');
    expect(readReport(run)).toMatchObject({ state: 'caughtUp', identity: null, error: null });
  });

  it('sends nothing to a server that only the run folder names, until the user names it', async () => {
    const place = makePlace();
    const server = await FakeMlflow.start();
    const run = writeRun(place.store, id, {
      'notes.json': { name: 'foreign', tags: [], note: '', pinned: false },
      'status.json': makeStatus({ state: 'finished', identity: null }),
      'metrics.jsonl': `${JSON.stringify(makeStep(1))}\n`,
      'trackers.json': { targets: [{ kind: 'mlflow', uri: server.uri, experiment: 'x' }] },
    });
    // Another tracker is asked for; what the folder names beside it is left alone.
    expect((await runCli(['track', run, '--to', 'tensorboard', '--json'], place)).code).toBe(0);
    expect(readdirSync(join(run, 'trackers'))).toContain('tensorboard.json');
    expect(server.authorizations.size).toBe(0);
    const named = await runCli(['track', run, '--to', 'mlflow', '--mlflow-uri', server.uri, '--json'], place);
    expect(named.code, named.errorText).toBe(0);
    expect(server.metrics.length).toBeGreaterThan(0);
  });

  it('says what is wrong with an address, and leaves the run as it is', async () => {
    const place = makePlace();
    const run = writeRun(place.store, id, { 'notes.json': { name: 'a', tags: [], note: '', pinned: false } });
    for (const wrong of ['tracking:5000', 'file:///etc', '']) {
      const { code, lines } = await runCli(['track', run, '--to', 'mlflow', '--mlflow-uri', wrong, '--json'], place);
      expect(code).toBe(2);
      expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'usage' });
    }
    const secret = ['--mlflow-uri', 'http://user:secret@tracking:5000'];
    const { code, lines, errorText } = await runCli(['track', run, '--to', 'mlflow', ...secret, '--json'], place);
    expect(code).toBe(2);
    expect(lines.at(-1)).toMatchObject({ code: 'usage', hint: expect.stringContaining('MLFLOW_TRACKING_PASSWORD') });
    expect(JSON.stringify(lines) + errorText).not.toContain('secret');
    expect(existsSync(join(run, 'trackers.json'))).toBe(false);
    writeFileSync(join(run, 'trackers.json'), '{');
    expect((await runCli(['track', run, '--json'], place)).lines.at(-1)).toMatchObject({ code: 'run-invalid' });
  });
});
