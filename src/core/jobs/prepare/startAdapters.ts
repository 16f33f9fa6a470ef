/**
 * @file The adapters that a run starts from -> what it needs of them: the settings of the one that it goes on training, or
 * the ones that stay as they are under a new one. The run keeps copies, and so resumes without the folders it was given.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { RunRecord, RunRequest } from '../../../shared/recipe.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { adoptSettings } from '../../adapter/adoptedSettings.ts';
import { type Adapter, adapterFileNames, readAdapter } from '../../adapter/readAdapter.ts';
import { requirePlain, stackPairs } from '../../adapter/stackAdapters.ts';
import { checkFits } from '../../infer/adapterInputs.ts';
import { findOutput } from '../../infer/findOutput.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { loraParameterNames, magnitudeName } from '../../models/loraNames.ts';
import type { StartValues } from '../../train/startValues.ts';

/** The request with the settings that its start brings. @throws TuneError `adapter-invalid`, `usage` */
export function adoptStart(request: RunRequest): RunRequest {
  if (request.startFrom === undefined) return request;
  const adapters = readGiven(request.startFrom);
  const { hyperparameters } = request;
  if (request.startFrom.mode === 'continue') {
    return { ...request, hyperparameters: { ...hyperparameters, ...adoptSettings(adapters[0]!) } };
  }
  requireStackable(adapters, hyperparameters);
  return request;
}

/** @throws TuneError `adapter-invalid` when an adapter belongs to another model */
export function checkStart({ startFrom }: RunRequest, model: Model): void {
  if (startFrom !== undefined) for (const adapter of readGiven(startFrom)) checkFits(adapter, model);
}

/** Copies the adapters into the run's folder and says what they are. */
export function keepStart(run: string, { startFrom }: RunRequest): RunRecord['startFrom'] {
  if (startFrom === undefined) return undefined;
  const adapters = startFrom.adapters.map((path, index) => {
    const folder = findAdapter(path);
    const copy = copyFolder(run, index);
    mkdirSync(copy, { recursive: true });
    for (const name of Object.values(adapterFileNames)) copyFileSync(join(folder, name), join(copy, name));
    return { path: resolve(path), sha256: hashAdapter(copy) };
  });
  return { mode: startFrom.mode, adapters };
}

/** What the run's engine starts from. @throws TuneError `run-invalid` when a copy was changed */
export function openStart(run: string, { startFrom }: RunRecord): StartValues | undefined {
  if (startFrom === undefined) return undefined;
  const adapters = startFrom.adapters.map(({ sha256 }, index) => {
    const copy = copyFolder(run, index);
    const adapter = readAdapter(copy);
    if (hashAdapter(copy) !== sha256) {
      throw new TuneError('run-invalid', `${copy}: expected the adapter with sha256 ${sha256}, got another one`, {
        file: copy,
        hint: 'It was changed since the run began: start a new run.',
      });
    }
    return adapter;
  });
  return startFrom.mode === 'continue'
    ? { values: listValues(adapters[0]!), stacked: [] }
    : { values: new Map(), stacked: stackPairs(adapters.map(({ pairs }) => pairs)) };
}

/** By the names of the engine's parameters. */
function listValues({ pairs, saved }: Adapter): ReadonlyMap<string, Float32Array> {
  const values = new Map(saved.map(({ name, data }) => [name, data]));
  for (const { module, a, b, magnitude } of pairs) {
    const names = loraParameterNames(module);
    values.set(names.a, a).set(names.b, b);
    if (magnitude !== undefined) values.set(magnitudeName(module), magnitude);
  }
  return values;
}

function requireStackable(adapters: readonly Adapter[], { method, dora }: Hyperparameters): void {
  if (method !== 'lora' || dora) {
    throw new TuneError('usage', `stack: expected method lora without dora, got ${method}${dora ? ' with dora' : ''}`, {
      hint: 'A plain LoRA adapter can be trained on top of others: --set method=lora --set dora=false.',
    });
  }
  requirePlain(adapters, 'Only plain adapters add up. Go on training this one instead: --adapter.');
}

function readGiven({ adapters }: NonNullable<RunRequest['startFrom']>): Adapter[] {
  return adapters.map(path => readAdapter(findAdapter(path)));
}

function findAdapter(path: string): string {
  const { kind, folder } = findOutput(resolve(path));
  if (kind === 'adapter') return folder;
  throw new TuneError('adapter-invalid', `${path}: expected an adapter to start from, got a whole model`, {
    file: path,
    hint: `Train on that model instead: --model ${folder}`,
  });
}

function copyFolder(run: string, index: number): string {
  return join(run, runNames.start, String(index));
}

function hashAdapter(folder: string): string {
  const hash = createHash('sha256');
  for (const name of Object.values(adapterFileNames)) hash.update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}
