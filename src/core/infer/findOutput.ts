/** @file What a person names as an adapter (a run's folder, an adapter's or a full run's model folder) -> which of them it is, and where. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { runNames } from '../../shared/runFolder.ts';
import { adapterFileNames } from '../adapter/readAdapter.ts';
import { findCompleteFolder } from '../train/stagedFolder.ts';

export interface TunedOutput {
  /** `model`: all weights, from full fine-tuning; it takes the place of the base. */
  readonly kind: 'adapter' | 'model';
  readonly folder: string;
}

/** @throws TuneError `adapter-invalid` */
export function findOutput(path: string): TunedOutput {
  if (existsSync(join(path, adapterFileNames.config))) return { kind: 'adapter', folder: path };
  const adapter = findCompleteFolder(join(path, runNames.adapter));
  if (adapter !== undefined) return { kind: 'adapter', folder: adapter };
  const model = findCompleteFolder(join(path, runNames.model));
  if (model !== undefined) return { kind: 'model', folder: model };
  if (existsSync(join(path, 'config.json'))) return { kind: 'model', folder: path };
  throw new TuneError(
    'adapter-invalid',
    `${path}: expected a run with an adapter, or an adapter's folder, got neither`,
    {
      file: path,
      hint: 'A run has an adapter after its first held-out evaluation, or when it has ended.',
    },
  );
}

export type TunedOutputs =
  | { readonly kind: 'adapter'; readonly folders: readonly string[] }
  | { readonly kind: 'model'; readonly folder: string };

/** One adapter or model, or several adapters to be added up. @throws TuneError `adapter-invalid` */
export function findOutputs(paths: readonly string[]): TunedOutputs {
  const outputs = paths.map(path => findOutput(resolve(path)));
  const model = outputs.find(({ kind }) => kind === 'model');
  if (model === undefined) return { kind: 'adapter', folders: outputs.map(({ folder }) => folder) };
  if (outputs.length === 1) return { kind: 'model', folder: model.folder };
  throw new TuneError('adapter-invalid', `${model.folder}: expected an adapter to add to others, got a whole model`, {
    file: model.folder,
    hint: 'Add the adapters on that model instead: --model, and the adapters alone.',
  });
}
