/** @file A request for PyTorch -> nothing, or an error that names the two things that it cannot do together. */
import { TuneError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';

/** What no single setting decides; see also `engineCapabilities.ts`. @throws TuneError `usage` */
export function refuseForPytorch({ startFrom, hyperparameters }: RunRequest): void {
  const { method, adaLora, baseWeights, launcher, sharding } = hyperparameters;
  if (startFrom?.mode === 'stack') {
    throw new TuneError('usage', 'stack: expected the embedded engine, got pytorch', {
      hint: 'Only the embedded engine trains on top of other adapters: --set engine=embedded. Or go on training one: --adapter.',
    });
  }
  if (launcher === 'python' || sharding === 'none') return;
  const isQuantized = method === 'lora' && (baseWeights === '4bit' || baseWeights === '8bit');
  const other = isQuantized ? `baseWeights ${baseWeights}` : method === 'lora' && adaLora ? 'adaLora' : undefined;
  if (other === undefined) return;
  throw new TuneError('usage', `sharding: expected none beside ${other}, got ${sharding}`, {
    hint: 'Each process holds the whole model then: --set sharding=none.',
  });
}
