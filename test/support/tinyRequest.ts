/** A request to train the tiny model on the tiny dataset, as programs take it. */
import { join } from 'node:path';
import { defaultHyperparameters, type Hyperparameters } from '../../src/shared/hyperparameters.ts';
import type { RunRequest } from '../../src/shared/recipe.ts';
import { writeTinyDataset, writeTinyModel } from './tinyModel.ts';

/** Writes model and dataset into `folder`. */
export function tinyRequest(folder: string, settings: Partial<Hyperparameters> = {}): RunRequest {
  return {
    name: 'tiny',
    model: writeTinyModel(join(folder, 'model')),
    datasets: [{ path: writeTinyDataset(join(folder, 'rows.jsonl')), mapping: null }],
    hyperparameters: {
      ...defaultHyperparameters,
      maxSteps: 6,
      evalEverySteps: 2,
      contextTokens: 48,
      batchRows: 2,
      learningRate: 0.01,
      targetModules: ['q_proj'],
      threads: 1,
      memoryLimitBytes: 2e9,
      ...settings,
    },
    overrides: [],
    parents: [],
  };
}
