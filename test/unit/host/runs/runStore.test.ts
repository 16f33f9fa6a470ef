import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Liveness } from '../../../../src/host/runs/runReader.ts';
import { RunStore } from '../../../../src/host/runs/runStore.ts';
import { makeEvaluation, makeStatus, makeStep, writeRun } from '../runFixture.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

const id = '20261124-093000-capitals-1f3a';
const lines = (...rows: object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('');

describe('RunStore', () => {
  const folder = useTemporaryFolder();
  const openStore = (isAlive: Liveness = async () => true) => {
    const store = new RunStore(folder(), 'folder', isAlive);
    const changes: string[] = [];
    store.onDidChange(({ run, change }) => changes.push(`${change} ${run.id}`));
    return { store, changes };
  };

  it('has no runs where there is no folder and finds the first one later', async () => {
    const { store, changes } = openStore();
    await store.tick();
    expect(store.list()).toEqual([]);
    writeRun(folder(), id);
    await store.tick();
    expect(changes[0]).toBe(`added ${id}`);
    expect(store.list()[0]?.name).toBe('capitals');
  });

  it('lists the newest run first and leaves out what is no run', async () => {
    writeRun(folder(), id);
    writeRun(folder(), '20261125-093000-capitals-1f3b');
    mkdirSync(join(folder(), 'runs', 'notes'));
    symlinkSync('/', join(folder(), 'runs', '20261126-093000-link-1f3c'));
    const { store } = openStore();
    await store.tick();
    expect(store.list().map(run => run.id)).toEqual(['20261125-093000-capitals-1f3b', id]);
  });

  it('shows an active run whose process is gone as interrupted', async () => {
    writeRun(folder(), id);
    const { store } = openStore(async () => false);
    await store.tick();
    expect(store.find(id)?.state).toBe('interrupted');
  });

  it('asks about the process named in the status and this run folder', async () => {
    const path = writeRun(folder(), id);
    const asked: unknown[] = [];
    const { store } = openStore(async (run, identity) => {
      asked.push([run, identity.pid]);
      return true;
    });
    await store.tick();
    expect(store.find(id)?.state).toBe('running');
    expect(asked[0]).toEqual([path, 4242]);
  });

  it('does not ask about a process of a run at rest', async () => {
    writeRun(folder(), id, { 'status.json': makeStatus({ state: 'finished' }) });
    const { store } = openStore(async () => {
      throw new Error('asked');
    });
    await store.tick();
    expect(store.find(id)?.state).toBe('finished');
  });

  it('keeps the last good status while the file is unreadable', async () => {
    const path = writeRun(folder(), id);
    const { store } = openStore();
    await store.tick();
    writeFileSync(join(path, 'status.json'), '{"state":');
    await store.tick();
    expect(store.find(id)?.status?.step).toBe(2);
    writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus({ step: 7 })));
    await store.tick();
    expect(store.find(id)?.status?.step).toBe(7);
  });

  it('adds the rows of a running run and lets a later attempt supersede', async () => {
    const path = writeRun(folder(), id, {
      'metrics.jsonl': lines(makeEvaluation(0), makeStep(1), makeStep(2), makeStep(3)),
    });
    const { store, changes } = openStore();
    await store.tick();
    expect(store.find(id)?.series.steps.map(row => row.step)).toEqual([1, 2, 3]);
    appendFileSync(join(path, 'metrics.jsonl'), lines(makeStep(3, { attempt: 2, lossNats: 9 })));
    await store.tick();
    expect(store.find(id)?.series.steps.map(row => [row.step, row.attempt])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
    ]);
    expect(store.find(id)?.series.evaluations).toHaveLength(1);
    expect(changes.at(-1)).toBe(`series ${id}`);
  });

  it('reads the series of a run at rest only while somebody looks at it', async () => {
    writeRun(folder(), id, {
      'status.json': makeStatus({ state: 'finished' }),
      'metrics.jsonl': lines(makeStep(1)),
      'log.txt': 'loaded\nready\n',
      'samples.jsonl': lines({ attempt: 1, step: 1, prompt: 'p', text: 't' }, { foreign: true }),
    });
    const { store } = openStore();
    await store.tick();
    expect(store.find(id)?.series.steps).toEqual([]);
    const looking = store.watchSeries(id);
    await store.tick();
    expect(store.find(id)?.series.steps).toHaveLength(1);
    expect(store.find(id)?.logTail).toEqual(['loaded', 'ready']);
    expect(store.find(id)?.samples).toHaveLength(1);
    looking.dispose();
    expect(store.isWatched).toBe(false);
  });

  it('says when a run went and when a rename came from elsewhere', async () => {
    const path = writeRun(folder(), id, { 'status.json': makeStatus({ state: 'finished' }) });
    const { store, changes } = openStore();
    await store.tick();
    const notes = { name: 'Capitals, second try', tags: [], note: '', pinned: false };
    writeFileSync(join(path, 'notes.json'), JSON.stringify(notes));
    await store.tick();
    expect(store.find(id)?.name).toBe('Capitals, second try');
    rmSync(path, { recursive: true });
    await store.tick();
    expect(changes.at(-1)).toBe(`removed ${id}`);
    expect(store.list()).toEqual([]);
  });

  it('shows a folder without a status as preparing at first and as interrupted later', async () => {
    writeRun(folder(), id, { 'status.json': undefined, 'run.json': undefined });
    let nowMs = Date.now();
    const store = new RunStore(
      folder(),
      'folder',
      async () => true,
      () => nowMs,
    );
    await store.tick();
    expect(store.find(id)?.state).toBe('preparing');
    nowMs += 60_000;
    await store.tick();
    expect(store.find(id)?.state).toBe('interrupted');
  });

  it('notices a folder of runs that was replaced within one time stamp', async () => {
    const first = writeRun(folder(), id);
    const { store } = openStore();
    await store.tick();
    renameSync(first, join(folder(), 'runs', '20261124-093000-capitals-1f3f'));
    await store.tick();
    expect(store.list().map(run => run.id)).toEqual(['20261124-093000-capitals-1f3f']);
  });
});
