/** @file A memory plan -> what refuses a run that does not fit its limit, with the settings that would make it fit. */
import type { PreflightFinding } from '../../../shared/datasetProtocol.ts';
import { formatBytes } from '../../../shared/formatBytes.ts';
import type { MemoryPlan } from './memoryPlan.ts';
import type { ProposedFit } from './proposeFit.ts';

/** What refuses a run that does not fit, if it does not. */
export function findMemoryRefusal(
  { peakMemoryBytes, memoryLimitBytes, card }: MemoryPlan,
  fit: ProposedFit | undefined,
): PreflightFinding[] {
  if (peakMemoryBytes <= memoryLimitBytes) return [];
  return [
    {
      code: 'memory',
      message: `Memory: expected at most ${formatBytes(memoryLimitBytes)} (the limit${card === undefined ? '' : ` of ${card}`}), got a forecast of ${formatBytes(peakMemoryBytes)}.`,
      remedy: fit
        ? `Make it fit with ${describeFit(fit)} (${formatBytes(fit.peakMemoryBytes)}), or raise memoryLimitBytes.`
        : 'Lower contextTokens or batchRows, train a LoRA adapter instead of all weights, hold the base in 4 bit (baseWeights), choose a smaller model, or raise memoryLimitBytes.',
      override: 'memory',
    },
  ];
}

/** `batchRows=1, gradientAccumulation=4` */
function describeFit({ settings }: ProposedFit): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
