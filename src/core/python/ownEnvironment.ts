/**
 * @file The virtual environments of our own, one a build and set of requirements, under the user's cache. The marker is
 * written last: an environment without one is half made and never used.
 */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolders } from '../formats/makeFolders.ts';
import { toWriteError } from '../formats/stagedFile.ts';
import { readJson, writeJson } from '../runs/jsonFile.ts';
import type { Requirements } from './readRequirements.ts';
import { torchBuilds } from './torchBuild.ts';

const markerSchema = z.strictObject({
  fingerprint: z.string(),
  build: z.enum(torchBuilds),
  installer: z.enum(['uv', 'pip']),
  python: z.string(),
  createdAt: z.string(),
});
export type EnvironmentMarker = z.infer<typeof markerSchema>;

export interface OwnEnvironment {
  readonly folder: string;
  readonly interpreter: string;
  /** Undefined of one that is half made or broken. */
  readonly marker: EnvironmentMarker | undefined;
}

const markerName = 'environment.json';
const folderPattern = new RegExp(`^(${torchBuilds.join('|')})-[0-9a-f]{12}$`);

/** @param root the folder of all environments */
export function locateEnvironment(root: string, { build, fingerprint }: Requirements): OwnEnvironment {
  return openEnvironment(join(root, `${build}-${fingerprint}`));
}

/** Those of other versions of this program as well. */
export function listEnvironments(root: string): OwnEnvironment[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter(name => folderPattern.test(name))
    .sort()
    .map(name => openEnvironment(join(root, name)));
}

/** The folder for the parts of an environment to be made. @throws TuneError `disk-full` | `not-writable` */
export function makeEnvironmentFolder({ folder }: OwnEnvironment): void {
  try {
    makeFolders(folder, 0o700);
  } catch (error) {
    throw toWriteError(error, folder);
  }
}

/** From now on it is used. @throws TuneError `disk-full` | `not-writable` */
export function commitEnvironment({ folder }: OwnEnvironment, marker: EnvironmentMarker): void {
  writeJson(join(folder, markerName), marker);
}

/** The marker goes first, so that what is half deleted is never used. */
export function removeEnvironment({ folder }: OwnEnvironment): void {
  try {
    rmSync(join(folder, markerName), { force: true });
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    throw toWriteError(error, folder);
  }
}

export function countBytes(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.isFile() ? stat.size : 0;
  return readdirSync(path).reduce((sum, name) => sum + countBytes(join(path, name)), 0);
}

function openEnvironment(folder: string): OwnEnvironment {
  const inside = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
  const interpreter = join(folder, 'venv', ...inside);
  const marker = existsSync(interpreter) ? readMarker(join(folder, markerName)) : undefined;
  return { folder, interpreter, marker };
}

function readMarker(path: string): EnvironmentMarker | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readJson(path, markerSchema);
  } catch {
    // Torn or of another version of this program: as good as none.
    return undefined;
  }
}
