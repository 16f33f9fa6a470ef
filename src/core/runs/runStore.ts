/** @file `.tuning-fork/`: where runs and their datasets live; creates a run's folder and finds runs again. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { type RunNotes, type RunStatus, runIdPattern, runNames, storeNames } from '../../shared/runFolder.ts';
import type { StoredRequest } from '../../shared/storedRecord.ts';
import { makeFolders } from '../formats/makeFolders.ts';
import { toWriteError } from '../formats/stagedFile.ts';
import { createFolder, nodeFolderFileSystem } from '../train/stagedFolder.ts';

/** `20261124-093000-medquad-1f3a`: UTC time, name, four random digits. */
export function makeRunId(name: string, now: Date, random = randomBytes(2).toString('hex')): string {
  const [date, time] = now.toISOString().replace(/[-:]/g, '').split(/[T.]/);
  const slug = name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return `${date}-${time}-${slug === '' ? 'run' : slug}-${random}`;
}

const longestInsideBytes = 300;

/** Makes the store with a .gitignore of its own. @throws TuneError `disk-full` | `not-writable` */
export function ensureStore(store: string): void {
  checkPathLength(store);
  try {
    for (const name of [storeNames.datasets, storeNames.runs]) makeFolders(join(store, name));
    const ignore = join(store, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  } catch (error) {
    throw toWriteError(error, store);
  }
}

/** Leaves room for the longest path inside a store. @throws TuneError `not-writable` */
function checkPathLength(store: string): void {
  const maxBytes = { darwin: 1024, linux: 4096 }[process.platform as string];
  if (maxBytes === undefined || Buffer.byteLength(store) + longestInsideBytes < maxBytes) return;
  throw toWriteError(Object.assign(new Error('path too long'), { code: 'ENAMETOOLONG' }), store);
}

export interface NewRun {
  readonly id: string;
  /** Absolute, links resolved. */
  readonly path: string;
  /** Queued, at its first attempt. */
  readonly status: RunStatus;
}

/** Makes a run's folder with request, notes and status; it appears whole or not at all. @throws TuneError `disk-full` | `not-writable` */
export function createRunFolder(store: string, request: StoredRequest, now: Date): NewRun {
  ensureStore(store);
  const status = makeFirstStatus(now);
  const id = makeRunId(request.name, now);
  const path = join(realpathSync(store), storeNames.runs, id);
  const notes: RunNotes = { name: request.name, tags: [], note: '', pinned: false };
  const files = [
    [runNames.request, request],
    [runNames.notes, notes],
    [runNames.status, status],
  ] as const;
  createFolder(
    path,
    files.map(([name, value]) => ({ name, pieces: [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)] })),
    () => [],
    nodeFolderFileSystem,
  );
  return { id, path, status };
}

function makeFirstStatus(now: Date): RunStatus {
  return {
    state: 'queued',
    attempt: 1,
    step: 0,
    totalSteps: 0,
    phase: null,
    identity: null,
    heartbeatAt: now.toISOString(),
    lastProgressAt: now.toISOString(),
    bestStep: null,
    bestEvalLossNats: null,
    stoppedEarly: false,
    error: null,
  };
}

/** Absolute paths of the runs of a store, oldest first; empty when there is no store. */
export function listRuns(store: string): string[] {
  const folder = join(store, storeNames.runs);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(name => runIdPattern.test(name))
    .sort()
    .map(name => join(folder, name));
}

/** The store in which a run's folder lies. */
export function storeOf(run: string): string {
  return dirname(dirname(run));
}

/** The folder that `text` names: a path, an id, or the beginning or end of one id. @throws TuneError `run-invalid` */
export function findRun(text: string, store: string): string {
  const asPath = resolve(text);
  if (existsSync(join(asPath, runNames.request)) || existsSync(join(asPath, runNames.run))) return realpathSync(asPath);
  const runs = listRuns(store);
  const exact = runs.filter(run => basename(run) === text);
  const matches = exact.length > 0 ? exact : runs.filter(run => basename(run).includes(text));
  if (matches.length === 1) return realpathSync(matches[0]!);
  const got =
    matches.length === 0 ? 'no such run' : `${matches.length} runs: ${matches.map(m => basename(m)).join(', ')}`;
  throw new TuneError('run-invalid', `${text}: expected the folder or id of one run in ${store}, got ${got}`, {
    hint: 'List them with: tuning-fork runs',
  });
}
