/** @file What computed a run, for its recipe. */
import { version } from '../../../../package.json';
import { loadOnnxRuntime } from '../../runtime/onnxRuntime.ts';

export function listVersions(): Record<string, string> {
  const onnxRuntime = loadOnnxRuntime().env.versions.node;
  return {
    tuningFork: version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    ...(onnxRuntime === undefined ? {} : { onnxRuntime }),
  };
}
