/**
 * @file Several adapters -> the one that does what they do together: for each layer their ranks one after another, each
 * with its scale multiplied into B. What PEFT's `add_weighted_adapter` makes with `combination_type="cat"`.
 */
import { TuneError } from '../../shared/errors.ts';
import { type Adapter, isDora, type LoraPair } from './readAdapter.ts';

/** By module in the order in which they come first; pairs of DoRA cannot be added up. */
export function stackPairs(adapters: readonly (readonly LoraPair[])[]): LoraPair[] {
  const byModule = new Map<string, LoraPair[]>();
  for (const pair of adapters.flat()) byModule.set(pair.module, [...(byModule.get(pair.module) ?? []), pair]);
  return [...byModule.values()].map(pairs => {
    if (pairs.some(({ magnitude }) => magnitude !== undefined)) throw new Error('internal: stacking: got DoRA');
    const { module, inputSize, outputSize } = pairs[0]!;
    const rank = pairs.reduce((sum, pair) => sum + pair.rank, 0);
    const a = new Float32Array(rank * inputSize);
    const b = new Float32Array(outputSize * rank);
    let first = 0;
    for (const pair of pairs) {
      a.set(pair.a, first * inputSize);
      for (let row = 0; row < outputSize; row++) {
        for (let r = 0; r < pair.rank; r++) b[row * rank + first + r] = pair.scale * pair.b[row * pair.rank + r]!;
      }
      first += pair.rank;
    }
    return { module, rank, scale: 1, a, b, inputSize, outputSize };
  });
}

/** @throws TuneError `adapter-invalid` when one of them does more than to add B A x */
export function requirePlain(adapters: readonly Adapter[], hint: string): void {
  const other = adapters.find(adapter => isDora(adapter) || adapter.saved.length > 0);
  if (other === undefined) return;
  throw new TuneError(
    'adapter-invalid',
    `${other.path}: expected a plain LoRA adapter, got one with ${isDora(other) ? 'DoRA' : 'modules trained whole'}`,
    { file: other.path, hint },
  );
}
