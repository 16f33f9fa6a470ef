/**
 * @file A stage and what it is given -> a hash over everything that its result depends on: the recipe, the bytes of its
 * data, the weights it starts from and those of its teacher. Equal keys, equal results: such a stage need not be trained again.
 */
import { createHash } from 'node:crypto';
import type { PipelineStage } from '../../../shared/pipeline.ts';

export interface KeyInputs {
  /** Of the dataset files, in their order. */
  readonly datasets: readonly string[];
  /** Over the weights of the model it is trained from, or of the stage before with everything beneath. */
  readonly from: string;
  readonly teacher: string | null;
}

export function computeStageKey(stage: PipelineStage, { datasets, from, teacher }: KeyInputs): string {
  const { start, hyperparameters, overrides, distill, maxTokens, keepCut } = stage;
  const recipe = {
    version: 1,
    start,
    hyperparameters: Object.fromEntries(Object.entries(hyperparameters).sort(([a], [b]) => (a < b ? -1 : 1))),
    overrides: [...overrides].sort(),
    mappings: stage.datasets.map(({ mapping }) => mapping),
    distill,
    answers: distill === 'answers' ? { maxTokens, keepCut } : null,
    datasets,
    from,
    teacher,
  };
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
}
