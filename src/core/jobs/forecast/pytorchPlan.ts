/** @file The shape of a run -> the memory that the PyTorch engine will need for it, where that is, and the limit there. */
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { Accelerator, PythonReport } from '../../../shared/pythonReport.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { forecastPytorch } from '../../train/forecastPytorch.ts';
import { countFreeBytes } from './freeMemory.ts';
import type { MemoryPlan } from './memoryPlan.ts';

/** Of a card: the rest is its display's, other programs' and what its allocator cannot use. */
const usableShare = 0.9;

/** With `card` it is a graphics card's memory, else the machine's. Of a card whose memory is not known nothing is too much. */
export function planPytorchMemory(
  model: Model,
  settings: Hyperparameters,
  python: Pick<PythonReport, 'accelerators'> | undefined,
  freeBytes: number = countFreeBytes(),
): MemoryPlan {
  const card = findCard(settings, python);
  const { processBytes } = forecastPytorch(model, settings, { device: card?.kind ?? 'cpu' });
  const held = settings.method === 'full' || settings.baseWeights === 'auto' ? 'float32' : settings.baseWeights;
  if (card !== undefined) {
    const known = card.memoryBytes === null ? processBytes : Math.floor(usableShare * card.memoryBytes);
    const memoryLimitBytes = settings.memoryLimitBytes ?? known;
    return { plan: 'whole', baseWeights: held, peakMemoryBytes: processBytes, memoryLimitBytes, card: card.name };
  }
  // Processes of one host share its memory, and each has all that is not spread over them.
  const peakMemoryBytes = processBytes * (settings.launcher === 'python' ? 1 : settings.processes);
  const memoryLimitBytes = settings.memoryLimitBytes ?? Math.floor(0.8 * freeBytes);
  return { plan: 'whole', baseWeights: held, peakMemoryBytes, memoryLimitBytes };
}

function findCard(
  { device }: Hyperparameters,
  python: Pick<PythonReport, 'accelerators'> | undefined,
): Accelerator | undefined {
  return device === 'cpu' ? undefined : python?.accelerators[0];
}
