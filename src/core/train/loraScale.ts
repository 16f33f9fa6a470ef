/** @file The settings of a LoRA adapter -> the scale of its product. */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';

/** What B A x is multiplied by: alpha / rank, or alpha / sqrt(rank) for rsLoRA (arXiv:2312.03732). */
export function loraScale({
  rank,
  alpha,
  rsLora,
  adaLora,
}: Pick<Hyperparameters, 'rank' | 'alpha'> & {
  rsLora?: boolean | undefined;
  adaLora?: boolean | undefined;
}): number {
  if (adaLora === true) return alpha / (rank + 1e-5); // as PEFT, whatever ranks are left
  return alpha / (rsLora === true ? Math.sqrt(rank) : rank);
}
