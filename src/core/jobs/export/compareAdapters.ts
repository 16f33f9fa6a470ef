/** @file An adapter and what was read of its export -> how far apart scale B A is, checked layer by layer. */
import { TuneError } from '../../../shared/errors.ts';
import type { ExportCheck } from '../../../shared/exportFormats.ts';
import type { Adapter, LoraPair } from '../../adapter/readAdapter.ts';
import { foldScale } from '../../infer/adapterInputs.ts';

const largestError = 1e-5;

/** @throws TuneError `engine` when a layer is missing or differs */
export function compareAdapters(
  expected: Adapter,
  actual: Adapter,
  { tool, path }: { readonly tool: string; readonly path: string },
): ExportCheck {
  const found = new Map(actual.pairs.map(pair => [pair.module, pair]));
  let difference = expected.pairs.length === actual.pairs.length ? 0 : Infinity;
  for (const pair of expected.pairs) {
    const other = found.get(pair.module);
    difference = Math.max(difference, other === undefined ? Infinity : comparePairs(pair, other));
  }
  if (difference <= largestError) return { tool, tokens: 0, sameTokens: 0, difference };
  throw new TuneError('engine', `${path}: expected the run's adapter, got another (error ${difference})`, {
    hint: 'Nothing was exported. Report this with the model and the format.',
  });
}

function comparePairs(a: LoraPair, b: LoraPair): number {
  if (a.rank !== b.rank) return Infinity;
  const arrays: [Float32Array, Float32Array][] = [
    [a.a, b.a],
    [foldScale(a), foldScale(b)],
    [a.magnitude ?? new Float32Array(0), b.magnitude ?? new Float32Array(0)],
  ];
  return Math.max(...arrays.map(([x, y]) => measureError(x, y)));
}

function measureError(expected: Float32Array, actual: Float32Array): number {
  if (expected.length !== actual.length) return Infinity;
  let [distance, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    distance += (expected[i]! - actual[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return size === 0 ? Math.sqrt(distance) : Math.sqrt(distance / size);
}
