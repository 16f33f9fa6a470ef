/** @file A request for PyTorch -> nothing, or an error that names the two things that it cannot do together. */
import { TuneError } from '../../../shared/errors.ts';
import type { PythonReport } from '../../../shared/pythonReport.ts';
import type { RunRequest } from '../../../shared/recipe.ts';

/** What no single setting decides; see also `engineCapabilities.ts`. @throws TuneError `usage` */
export function refuseForPytorch({ hyperparameters }: RunRequest, python: PythonReport | undefined): void {
  const { method, adaLora, baseWeights, device, launcher, sharding, precision } = hyperparameters;
  const isOnCpu = device === 'cpu';
  // Apple's cards are no exception: the loss scale of float16 needs CUDA or ROCm.
  const hasCard = python === undefined || python.accelerators.some(({ kind }) => kind !== 'mps');
  if (precision === 'float16' && (isOnCpu || !hasCard)) {
    const where = isOnCpu ? 'on the CPU' : 'without a graphics card of NVIDIA or AMD';
    throw new TuneError('usage', `precision: expected float32 or bfloat16 ${where}, got float16`, {
      hint: 'Processors add and multiply in 16 bit by way of 32: --set precision=bfloat16, or float32.',
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
