import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNotes, readRecord, readRequest, readStatus, writeStatus } from '../../../../src/core/runs/runFiles.ts';
import {
  createRunFolder,
  ensureStore,
  findRun,
  listRuns,
  makeRunId,
  storeOf,
} from '../../../../src/core/runs/runStore.ts';
import { defaultHyperparameters } from '../../../../src/shared/hyperparameters.ts';
import type { RunRequest } from '../../../../src/shared/recipe.ts';
import { type RunStatus, runIdPattern } from '../../../../src/shared/runFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const request: RunRequest = {
  name: 'MedQuAD answers',
  model: 'tiny',
  datasets: [{ path: '/data/rows.jsonl', mapping: null }],
  hyperparameters: defaultHyperparameters,
  overrides: [],
  parents: [],
};
const status: RunStatus = {
  state: 'queued',
  attempt: 1,
  step: 0,
  totalSteps: 0,
  phase: null,
  identity: null,
  heartbeatAt: '2026-11-24T09:30:00.000Z',
  lastProgressAt: '2026-11-24T09:30:00.000Z',
  bestStep: null,
  bestEvalLossNats: null,
  stoppedEarly: false,
  error: null,
};
const at = (text: string) => new Date(`2026-11-24T${text}Z`);

describe('makeRunId', () => {
  it.each([
    ['MedQuAD answers', '20261124-093000-medquad-answers-1f3a'],
    ['  Größe & Maß!  ', '20261124-093000-gro-e-ma-1f3a'],
    ['Données d’été', '20261124-093000-donnees-d-ete-1f3a'],
    ['医療', '20261124-093000-run-1f3a'],
    [`${'long '.repeat(20)}`, '20261124-093000-long-long-long-long-long-long-long-long-1f3a'],
    ['../../etc', '20261124-093000-etc-1f3a'],
  ])('makes a folder name of %j', (name, expected) => {
    const id = makeRunId(name, at('09:30:00'), '1f3a');
    expect(id).toBe(expected);
    expect(id).toMatch(runIdPattern);
  });
});

describe('createRunFolder', () => {
  it('makes a store that git ignores, and a run with its request, notes and status', () => {
    const store = join(temporaryFolder(), '.tuning-fork');
    const run = createRunFolder(store, request, at('09:30:00'));
    expect(readFileSync(join(store, '.gitignore'), 'utf8')).toBe('*\n');
    expect(basename(run.path)).toBe(run.id);
    expect(readRequest(run.path)).toEqual(request);
    expect(readStatus(run.path)).toEqual(status);
    expect(readNotes(run.path)).toEqual({ name: 'MedQuAD answers', tags: [], note: '', pinned: false });
    expect(readRecord(run.path)).toBeUndefined();
    expect(storeOf(run.path)).toBe(store);
  });

  it('names the place when it cannot be written', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => createRunFolder(join(file, 'store'), request, at('09:30:00'))).toThrow(
      expect.objectContaining({ code: 'not-writable', file: join(file, 'store') }),
    );
  });
});

describe('ensureStore', () => {
  it.runIf(process.platform === 'linux' || process.platform === 'darwin')(
    'refuses a place so deep that what lies in it could not be named, and makes nothing',
    () => {
      const folder = temporaryFolder();
      const store = join(folder, ...Array.from({ length: 20 }, () => 'd'.repeat(200)));
      expect(() => ensureStore(store)).toThrow(
        expect.objectContaining({ code: 'not-writable', hint: 'Choose a folder with a shorter path.' }),
      );
      expect(readdirSync(folder)).toEqual([]);
    },
  );
});

describe('findRun', () => {
  function threeRuns() {
    const store = temporaryFolder();
    const runs = ['09:30:00', '09:31:00', '09:32:00'].map(time => createRunFolder(store, request, at(time)));
    mkdirSync(join(store, 'runs', 'something-else'));
    return { store, runs };
  }

  it('finds by path, by id and by a part of one id', () => {
    const { store, runs } = threeRuns();
    expect(listRuns(store)).toEqual(runs.map(run => run.path));
    expect(findRun(runs[1]!.path, '/nowhere')).toBe(runs[1]!.path);
    expect(findRun(runs[1]!.id, store)).toBe(runs[1]!.path);
    expect(findRun('093200', store)).toBe(runs[2]!.path);
  });

  it('refuses what names no run or several', () => {
    const { store } = threeRuns();
    expect(() => findRun('medquad', store)).toThrow(/got 3 runs/);
    expect(() => findRun('other', store)).toThrow(expect.objectContaining({ code: 'run-invalid' }));
    expect(listRuns('/nowhere/at/all')).toEqual([]);
  });
});

describe('readStatus', () => {
  it.each([
    ['', /expected JSON/],
    ['{"state": "runn', /expected JSON/],
    ['{"state": "flying"}', /state: expected a file of this program/],
    [JSON.stringify({ ...status, identity: { pid: -1, startTime: '1', nonce: '../../x' } }), /identity/],
  ])('refuses %j with the name of the file', (text, message) => {
    const { path } = createRunFolder(temporaryFolder(), request, at('09:30:00'));
    writeFileSync(join(path, 'status.json'), text);
    expect(() => readStatus(path)).toThrow(message);
    expect(() => readStatus(path)).toThrow(
      expect.objectContaining({ code: 'run-invalid', file: join(path, 'status.json') }),
    );
  });

  it('reads what was written, and writing leaves no other file', () => {
    const { path } = createRunFolder(temporaryFolder(), request, at('09:30:00'));
    const before = readdirSync(path);
    writeStatus(path, { ...status, state: 'running', step: 3 }, false);
    writeStatus(path, { ...status, state: 'running', step: 4 }, true);
    expect(readStatus(path).step).toBe(4);
    expect(readdirSync(path)).toEqual(before);
  });
});
