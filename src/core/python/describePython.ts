/**
 * @file What Python there is for the PyTorch engine: the user's own interpreter where one is named, else the environment of ours.
 * Asking PyTorch takes seconds, so an answer stands until the interpreter or its packages change.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { TuneError } from '../../shared/errors.ts';
import { type PythonReport, pythonReportSchema, pythonVariable } from '../../shared/pythonReport.ts';
import { makeFolders } from '../formats/makeFolders.ts';
import { readJson, writeJson } from '../runs/jsonFile.ts';
import { listEnvironments, type OwnEnvironment } from './ownEnvironment.ts';
import { probePython } from './probePython.ts';
import { readRequirements } from './readRequirements.ts';
import type { RunProgram } from './runProgram.ts';
import { torchBuilds } from './torchBuild.ts';

export interface PythonPlace {
  /** Of all environments of ours. */
  readonly root: string;
  readonly requirementsFolder: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface DescribeOptions {
  readonly run: RunProgram;
  readonly signal?: AbortSignal;
  /** Asks again although nothing seems to have changed. */
  readonly fresh?: boolean;
}

/** Undefined where there is none. @throws TuneError `usage` when the user's own is no absolute path */
export async function describePython(place: PythonPlace, options: DescribeOptions): Promise<PythonReport | undefined> {
  const found = findInterpreter(place);
  if (found === undefined) return undefined;
  const key = { ...found, fingerprint: fingerprintOf(place), state: stateOf(found.interpreter) };
  const known = options.fresh === true ? undefined : readKnown(place.root, key);
  if (known !== undefined) return known;
  const requirements = readRequirements(place.requirementsFolder, 'cpu');
  const report = await probePython({
    ...found,
    requirements,
    run: options.run,
    env: place.env,
    signal: options.signal,
  });
  if (options.signal?.aborted !== true) keep(place.root, key, report);
  return report;
}

/** The last answer, without asking anew; undefined where it no longer stands. */
export function recallPython(place: PythonPlace): PythonReport | undefined {
  const found = findInterpreter(place);
  if (found === undefined) return undefined;
  return readKnown(place.root, { ...found, fingerprint: fingerprintOf(place), state: stateOf(found.interpreter) });
}

/** The environments that fit this version of the program; a half-made one is never among them. */
export function listCurrentEnvironments({ root, requirementsFolder }: PythonPlace): OwnEnvironment[] {
  const current = new Set(
    torchBuilds.map(build => `${build}-${readRequirements(requirementsFolder, build).fingerprint}`),
  );
  return listEnvironments(root).filter(
    ({ marker }) => marker !== undefined && current.has(`${marker.build}-${marker.fingerprint}`),
  );
}

/** Nothing is asked of it. @throws TuneError `usage` when the user's own is no absolute path */
export function findInterpreter(place: PythonPlace): Pick<PythonReport, 'source' | 'interpreter'> | undefined {
  const named = place.env[pythonVariable]?.trim();
  if (named !== undefined && named !== '') {
    if (!isAbsolute(named)) {
      throw new TuneError('usage', `tuningFork.pythonPath: expected the absolute path of a Python, got "${named}"`, {
        hint: `In a terminal the variable ${pythonVariable} says it.`,
      });
    }
    // Links are kept: a virtual environment is known by the link to its interpreter.
    return { source: 'user', interpreter: resolve(named) };
  }
  const newest = listCurrentEnvironments(place)
    .sort((a, b) => a.marker!.createdAt.localeCompare(b.marker!.createdAt))
    .at(-1);
  return newest && { source: 'own', interpreter: newest.interpreter };
}

const fingerprintOf = (place: PythonPlace) => readRequirements(place.requirementsFolder, 'cpu').fingerprint;

const knownSchema = z.strictObject({ fingerprint: z.string(), state: z.string(), report: pythonReportSchema });
interface Key extends Pick<PythonReport, 'source' | 'interpreter'> {
  readonly fingerprint: string;
  readonly state: string;
}

/** Changes when packages come or go, or the interpreter is another one. */
function stateOf(interpreter: string): string {
  if (!existsSync(interpreter)) return 'missing';
  const { mtimeMs, size } = statSync(realpathSync(interpreter));
  const libraries = ['lib', 'Lib'].map(name => join(interpreter, '..', '..', name)).filter(existsSync);
  const packages = libraries.flatMap(folder =>
    [
      folder,
      ...readdirSync(folder)
        .filter(name => name.startsWith('python3'))
        .map(name => join(folder, name)),
    ]
      .map(inner => join(inner, 'site-packages'))
      .filter(existsSync)
      .map(site => statSync(site).mtimeMs),
  );
  return [mtimeMs, size, ...packages].join(':');
}

function knownPath(root: string, { interpreter }: Key): string {
  return join(root, `known-${createHash('sha256').update(interpreter).digest('hex').slice(0, 16)}.json`);
}

function readKnown(root: string, key: Key): PythonReport | undefined {
  const path = knownPath(root, key);
  if (!existsSync(path)) return undefined;
  try {
    const { fingerprint, state, report } = readJson(path, knownSchema);
    return fingerprint === key.fingerprint && state === key.state && report.source === key.source ? report : undefined;
  } catch (error) {
    if (error instanceof TuneError) return undefined;
    throw error;
  }
}

function keep(root: string, key: Key, report: PythonReport): void {
  try {
    makeFolders(root, 0o700);
    writeJson(knownPath(root, key), { fingerprint: key.fingerprint, state: key.state, report });
  } catch (error) {
    // A disk that takes nothing costs the seconds of asking again.
    if (!(error instanceof TuneError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}
