// @ts-check
/** The Python that suites compare with and read back with: one that is there already, or a virtual environment of our own. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, root } from './paths.mjs';
import { findOnPath, requireCommand } from './runCommand.mjs';

const requirements = ['test/parity/requirements.txt', 'test/trackers/requirements.txt'].map(file => join(root, file));
const environment = join(cacheFolder, 'python');
const environmentPython = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const stamp = join(environment, 'requirements.sha256');

/** A Python that can run the parity scripts, or undefined. TUNING_FORK_PYTHON comes first. */
export function findPython() {
  const named = process.env.TUNING_FORK_PYTHON;
  if (named) return named;
  // Not whatever torch the system has: the figures compared are those of the pinned releases.
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hashRequirements() ? environmentPython : undefined;
}

/** Why `findPython` finds none, for people. */
export function describeMissingPython() {
  const remedy = 'run with --install, or set TUNING_FORK_PYTHON to a Python that has them';
  return findSystemPython()
    ? `the packages of test/parity/requirements.txt and test/trackers/requirements.txt are not installed (${remedy})`
    : `no python3 on PATH (install Python 3.11 or newer, then ${remedy})`;
}

/** Makes the virtual environment under the cache folder, with the pinned packages. @throws when that is impossible */
export async function installPython() {
  const found = findPython();
  if (found) return found;
  const system = findSystemPython();
  if (!system) throw new Error('no python3 on PATH');
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(cacheFolder, { recursive: true });
  await makeEnvironment(system);
  console.log('pip: installing the requirements of test/parity and test/trackers (torch is large: some minutes)');
  await requireCommand(
    [environmentPython, '-m', 'pip', 'install', '--quiet', ...requirements.flatMap(file => ['-r', file])],
    {
      limitMs: 20 * 60_000,
    },
  );
  writeFileSync(stamp, hashRequirements());
  return environmentPython;
}

export function findSystemPython() {
  return findOnPath(['python3', 'python']);
}

/** @param {string} python */
async function makeEnvironment(python) {
  try {
    await requireCommand([python, '-m', 'venv', environment]);
  } catch (error) {
    // Debian keeps ensurepip in a package of its own.
    if (!isDebianRoot()) throw error;
    rmSync(environment, { recursive: true, force: true });
    await requireCommand(['apt-get', 'update', '-qq']);
    await requireCommand(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'python3-venv']);
    await requireCommand([python, '-m', 'venv', environment]);
  }
}

export function isDebianRoot() {
  return process.getuid?.() === 0 && findOnPath(['apt-get']) !== undefined;
}

function hashRequirements() {
  const hash = createHash('sha256');
  for (const file of requirements) hash.update(readFileSync(file));
  return hash.digest('hex');
}
