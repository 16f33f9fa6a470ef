/** What the commands that answer or measure share: models with progress, adapters by run or folder, decoding settings. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ModelPool, type ModelPoolOptions } from '../core/infer/modelPool.ts';
import { nameBaseModel } from '../core/jobs/prepare/runQuestions.ts';
import { readRecord } from '../core/runs/runFiles.ts';
import { findRun } from '../core/runs/runStore.ts';
import { TuneError } from '../shared/errors.ts';
import type { DecodingSettings } from '../shared/inferenceProtocol.ts';
import { runNames } from '../shared/runFolder.ts';
import type { CommandArguments, CommandOption } from './command.ts';
import type { Output } from './output.ts';
import { findTinyModel } from './places.ts';
import { resolveModel, storeFolder } from './runOptions.ts';

export const modelOption: CommandOption = {
  name: 'model',
  value: 'M',
  help: 'Base model: tiny, a folder, a .gguf file or a Hub id; default the one of the run.',
};

export const adapterOption: CommandOption = {
  name: 'adapter',
  value: 'RUN|DIR',
  help: 'A run (id or folder), or the folder of an adapter or of a fully tuned model; A+B adds up what adapters change.',
};

export const decodingOptions: readonly CommandOption[] = [
  { name: 'max-tokens', value: 'N', help: 'Most tokens of an answer, default 160.' },
  { name: 'temperature', value: 'X', help: '0 takes the likeliest token each time (default); higher = more varied.' },
  {
    name: 'top-p',
    value: 'P',
    help: 'Draw from the likeliest tokens that together reach this probability, default 1.',
  },
  { name: 'seed', value: 'N', help: 'Makes drawn answers repeatable, default 42.' },
  {
    name: 'float32',
    help: "Compute a GGUF file's weights in float32, exactly, instead of in the file's blocks with activations in 8 bit.",
  },
];

/** @throws TuneError `usage` */
export function readDecoding(args: CommandArguments): DecodingSettings {
  return {
    maxTokens: args.integer('max-tokens', 1, 1_000_000) ?? 160,
    temperature: args.number('temperature', 0, 100) ?? 0,
    topP: args.number('top-p', 1e-6, 1) ?? 1,
    seed: args.integer('seed', 0, Number.MAX_SAFE_INTEGER) ?? 42,
  };
}

/** How the answering model holds its weights. */
export function readPrecision(args: CommandArguments): Pick<ModelPoolOptions, 'weights'> {
  return args.has('float32') ? { weights: 'float' } : {};
}

/** An adapter, or several that are added up. */
export interface ChosenAdapter {
  /** Their paths, joined by a plus sign. */
  readonly name: string;
  readonly paths: readonly string[];
}

/** Adapters with plus signs between them; a folder whose name has one is itself. @throws TuneError `run-invalid` */
export function chooseAdapter(text: string, args: CommandArguments): ChosenAdapter {
  const parts = existsSync(resolve(text)) ? [text] : text.split('+');
  const paths = parts.map(part => locateAdapter(part, args));
  return { name: paths.join('+'), paths };
}

/** An existing folder as it is, else the run of that id. @throws TuneError `run-invalid` */
export function locateAdapter(text: string, args: CommandArguments): string {
  const path = resolve(text);
  return existsSync(path) ? path : findRun(text, storeFolder(args));
}

/** Whether the folder is a run's that was prepared. */
export function isRunFolder(path: string): boolean {
  return existsSync(resolve(path, runNames.run));
}

/** The base model: as asked for, or that of the first run among `runs`. @throws TuneError `usage` */
export function chooseModel(args: CommandArguments, runs: readonly string[]): string {
  const given = args.one('model');
  if (given !== undefined) return resolveModel(given);
  const run = runs.find(isRunFolder);
  const record = run === undefined ? undefined : readRecord(run);
  return record === undefined ? args.required('model') : nameBaseModel(record.model);
}

export function createModelPool(output: Output, options: Pick<ModelPoolOptions, 'weights'> = {}): ModelPool {
  return new ModelPool({
    ...options,
    models: { tinyFolder: findTinyModel() },
    onProgress: (_model, phase, done, total) => tellProgress(output, phase, done, total),
  });
}

export function tellProgress(output: Output, phase: string, done: number, total: number): void {
  output.line({ type: 'progress', phase, done, total });
  output.progress(`${phase} ${done}/${total}`);
}

/** @throws TuneError `usage` */
export function requireOne(first: string | undefined, second: string | undefined, names: string): void {
  if ((first === undefined) !== (second === undefined)) return;
  const got = first === undefined ? 'neither' : 'both';
  throw new TuneError('usage', `arguments: expected either ${names}, got ${got}`);
}
