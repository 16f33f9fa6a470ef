/**
 * @file transformers.js, for its generation loop: loaded at the first call, after this process's ONNX Runtime was put
 * where it looks for one, so that both use the same copy. It never reads models or the network by itself.
 */
import type * as Transformers from '@huggingface/transformers';
import { loadOnnxRuntime } from './onnxRuntime.ts';

export type { Transformers };

let loaded: Promise<typeof Transformers> | undefined;

/** @throws TuneError `unsupported-platform` when ONNX Runtime has no binary for this machine. */
export function loadTransformers(): Promise<typeof Transformers> {
  loaded ??= importLibrary();
  return loaded;
}

async function importLibrary(): Promise<typeof Transformers> {
  Object.assign(globalThis, { [Symbol.for('onnxruntime')]: loadOnnxRuntime() });
  const library = await import('@huggingface/transformers');
  Object.assign(library.env, {
    allowRemoteModels: false,
    allowLocalModels: false,
    useFSCache: false,
    cacheDir: null,
    fetch: () => Promise.reject(new Error('internal: transformers.js: expected no request, got one')),
  });
  return library;
}
