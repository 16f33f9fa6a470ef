/** @file "Find the best" as it is asked for: a recipe to begin with, models to choose from and minutes; the rest is the search's own choice. */
import type { RunRequest } from './recipe.ts';
import type { SearchRequest } from './searchRecord.ts';

export function makeAutomaticSearch(base: RunRequest, models: readonly string[], minutes: number): SearchRequest {
  const { learningRate } = base.hyperparameters;
  return {
    kind: 'search',
    name: base.name,
    base,
    settings: {
      // Replaced when model and method are chosen.
      space: [
        {
          name: 'learningRate',
          distribution: { kind: 'real', low: learningRate / 8, high: Math.min(1, 8 * learningRate), log: true },
        },
      ],
      offersDataChoices: true,
      budget: { trials: null, minutes, tokens: null },
      sampler: 'tpe',
      pruner: 'halving',
      metric: 'heldOutLoss',
      winner: 'keep',
      parallel: null,
      seed: 42,
    },
    automatic: { minutes, models: [...models], decisions: [] },
    parents: [],
  };
}
