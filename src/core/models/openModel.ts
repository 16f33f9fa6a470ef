/** @file What the user calls a model (`tiny`, a folder, a .gguf file, a Hub id) -> an OpenModel. */
import { type Stats, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import type { OpenModel } from './openedModel.ts';
import { openFolderModel } from './openFolderModel.ts';
import { openGgufModel } from './openGgufModel.ts';

export interface OpenModelOptions {
  /** Where the model that ships with the extension lies. */
  readonly tinyFolder: string;
}

/** The model, its weights untouched. The caller closes it. @throws TuneError `model-not-found` | `model-invalid` | `model-unsupported` */
export async function openModel(reference: string, options: OpenModelOptions): Promise<OpenModel> {
  if (reference === 'tiny') return openPath(reference, resolve(options.tinyFolder));
  const path = resolve(reference);
  if (readStats(path) || isPathLike(reference)) return openPath(reference, path);
  throw toNotFoundError(reference);
}

function openPath(id: string, path: string): OpenModel {
  const stats = readStats(path);
  if (!stats) throw toNotFoundError(path);
  if (stats.isDirectory()) return openFolderModel(id, path);
  if (/\.gguf$/i.test(path)) return openGgufModel(id, path, stats.size);
  throw new TuneError('model-unsupported', `${path}: expected a folder or a .gguf file, got another file`, {
    file: path,
    hint: path.endsWith('.safetensors')
      ? 'Name the folder that holds the file together with config.json and tokenizer.json.'
      : 'A model is a Hugging Face folder with *.safetensors, or a .gguf file. Pickle files (.bin, .pt) are never loaded.',
  });
}

/** Whether the reference can only be a path, so that a missing one is not looked for on the Hub. */
function isPathLike(reference: string): boolean {
  return isAbsolute(reference) || /^\.{1,2}([/\\]|$)|\\|^~|\.gguf$/i.test(reference);
}

function readStats(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function toNotFoundError(reference: string): TuneError {
  return new TuneError(
    'model-not-found',
    `${reference}: expected tiny, a model folder, a .gguf file or a Hub id, got none of them`,
    {
      hint: 'Check the path, or name a model of the Hub as organisation/name.',
    },
  );
}
