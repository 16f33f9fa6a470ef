/** @file What the user calls a model (`tiny`, a folder, a .gguf file, a Hub id) -> an OpenModel. */
import { type Stats, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { openGgufModel } from './gguf/openGgufModel.ts';
import { downloadModel, type HubDownloadOptions } from './hub/downloadModel.ts';
import { parseHubReference } from './hub/hubLocation.ts';
import type { OpenModel } from './openedModel.ts';
import { openFolderModel } from './openFolderModel.ts';

export interface OpenModelOptions {
  /** Where the model that ships with the extension lies. */
  readonly tinyFolder: string;
  /** How models named by a Hub id are downloaded. */
  readonly hub?: HubDownloadOptions | undefined;
}

/**
 * The model, its weights untouched; a Hub id is downloaded first where it is not in the cache. The caller closes it.
 * @throws TuneError `model-not-found` | `model-invalid` | `model-unsupported`, and those of `downloadModel`
 */
export async function openModel(reference: string, options: OpenModelOptions): Promise<OpenModel> {
  if (reference === 'tiny') return openPath(reference, resolve(options.tinyFolder));
  const path = resolve(reference);
  if (readStats(path) || isPathLike(reference)) return openPath(reference, path);
  const hubReference = parseHubReference(reference);
  if (!hubReference) throw toNotFoundError(reference);
  return openPath(reference, await downloadModel(hubReference, options.hub));
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
  if (isAbsolute(reference) || /^\.{1,2}([/\\]|$)|\\|^~/.test(reference)) return true;
  // organisation/name/file.gguf is one file of a Hub repository; anything shorter is a path.
  return /\.gguf$/i.test(reference) && reference.split('/').length < 3;
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
