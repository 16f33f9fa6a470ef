/**
 * @file The one place that loads ONNX Runtime. In an installed extension its native library lies beside the bundle, in
 * a development tree in node_modules. Whoever else needs the library (transformers.js) is handed this copy.
 */
import { createRequire } from 'node:module';
import type * as OnnxRuntime from 'onnxruntime-node';
import { TuneError } from '../../shared/errors.ts';

export type { OnnxRuntime };

let loaded: typeof OnnxRuntime | undefined;

/** ONNX Runtime, loaded at the first call. @throws TuneError `unsupported-platform` when it has no binary for this machine. */
export function loadOnnxRuntime(): typeof OnnxRuntime {
  if (loaded) return loaded;
  process.env.ORT_DISABLE_TELEMETRY = '1';
  const load = createRequire(import.meta.url);
  try {
    loaded = load(findOnnxRuntime(load)) as typeof OnnxRuntime;
    return loaded;
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    throw new TuneError('unsupported-platform', `engine: expected ONNX Runtime to load on ${platform}, got ${cause}`, {
      hint: 'Training and answering run on Linux (x64 and arm64, with glibc), Windows (x64, arm64) and macOS (arm64). Reading and checking datasets works here; use one of those machines for the rest.',
      cause,
    });
  }
}

/** Where ONNX Runtime is loaded from: the copy beside the running bundle if there is one, else the package. */
function findOnnxRuntime(load: NodeJS.Require): string {
  try {
    return load.resolve('./native/onnxruntime-node');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    return 'onnxruntime-node';
  }
}
