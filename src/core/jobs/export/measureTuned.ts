/** @file A tuned model -> how large its exports will be, without touching its weights. */
import type { ExportSizes } from '../../../shared/exportProtocol.ts';
import type { OpenModelOptions } from '../../models/openModel.ts';
import { openTuned } from './openTuned.ts';

/** @throws TuneError as `openTuned` */
export async function measureTuned(
  paths: readonly string[],
  model: string,
  options: OpenModelOptions,
): Promise<ExportSizes> {
  const { base, adapter, weightCount } = await openTuned(paths, model, options);
  base.close();
  if (adapter === null) return { weightCount, adapterBytes: null };
  const pairs = adapter.pairs.map(({ a, b, magnitude }) => a.byteLength + b.byteLength + (magnitude?.byteLength ?? 0));
  const saved = adapter.saved.map(({ data }) => data.byteLength);
  return { weightCount, adapterBytes: [...pairs, ...saved].reduce((sum, bytes) => sum + bytes, 0) };
}
