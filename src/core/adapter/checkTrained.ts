/** @file Trained parameters -> nothing, or an error when training left an adapter that changes nothing. */
import { TuneError } from '../../shared/errors.ts';
import type { TrainableParameter } from '../train/trainingEngine.ts';

/** LoRA's B, AdaLoRA's E starts at zero: still zero everywhere means that no gradient arrived. @throws TuneError `engine` */
export function checkTrained(parameters: readonly TrainableParameter[], steps: number): void {
  const factors = parameters.filter(({ name }) => name.endsWith('.lora_E'));
  const b = factors.length > 0 ? factors : parameters.filter(({ name }) => name.endsWith('.lora_B.weight'));
  if (steps === 0 || b.length === 0 || b.some(({ value }) => value.some(v => v !== 0))) return;
  throw new TuneError('engine', `adapter: expected lora_B weights that moved in ${steps} steps, got zeros`, {
    hint: 'The adapter would change nothing. Report this with the log of the run.',
  });
}
