/**
 * @file A model's size and a dataset's -> the settings that depend on them most: learning rate, epochs, context. One
 * default cannot suit both a demonstration model and one of eight billion parameters. Sources: CONTRIBUTING.md, "Defaults".
 */
import type { DatasetInspection, ModelSize } from './datasetProtocol.ts';
import type { Hyperparameters } from './hyperparameters.ts';

export const suggestedNames = ['learningRate', 'epochs', 'contextTokens'] as const;
export type SuggestedName = (typeof suggestedNames)[number];
export type SuggestedSettings = Pick<Hyperparameters, SuggestedName>;

export interface DatasetSize {
  usableRows: number;
  /** Of all rows, cut to the context. */
  totalTokens: number;
  /** Before it is cut. */
  longestRowTokens: number;
}

export interface Suggestion {
  values: SuggestedSettings;
  /** Why, a sentence for each. */
  reasons: string[];
}

const largestLearningRate = 5e-3;
const smallestContextTokens = 128;
/** A longer row is cut unless a person asks for more: memory grows with the context. */
const largestContextTokens = 2048;
const enoughSteps = 100;
/** Below this many parameters a model has so little to build on that it needs more passes. */
const smallModelParameters = 20e6;
const enoughStepsForSmallModels = 400;
const mostEpochs = 20;
/** Preferences are over-learned soon. */
const mostEpochsForPreferences = 3;
const usualEpochs = 3;
/** From here on one pass has seen enough. */
const manySteps = 1000;

/** What suits this model and this data, beside the other settings as they are. */
function suggestSettings(model: ModelSize, data: DatasetSize, settings: Hyperparameters): Suggestion {
  const contextTokens = suggestContext(model, data);
  const steps = countEpochSteps(data, settings, contextTokens);
  const wanted = model.parameterCount < smallModelParameters ? enoughStepsForSmallModels : enoughSteps;
  const fewest = steps > manySteps ? 1 : usualEpochs;
  const most = settings.objective === 'dpo' ? mostEpochsForPreferences : mostEpochs;
  const epochs = Math.min(most, Math.max(fewest, Math.round(wanted / steps)));
  return {
    values: { learningRate: suggestLearningRate(model.hiddenSize, settings), epochs, contextTokens },
    reasons: [
      `Learning rate: for ${settings.method === 'full' ? 'all weights' : 'LoRA'} at the model's hidden size of ${model.hiddenSize}.`,
      `Epochs: about ${steps * epochs} steps; a model of this size wants ${wanted} or more.`,
      contextTokens >= data.longestRowTokens
        ? `Context: the longest row has ${data.longestRowTokens} tokens.`
        : `Context: the longest row of ${data.longestRowTokens} tokens is cut.`,
    ],
  };
}

/** Null while the model is not on this machine, or nothing was read. */
export function suggestForInspection(
  { model, tokens, usableRows }: Pick<DatasetInspection, 'model' | 'tokens' | 'usableRows'>,
  settings: Hyperparameters,
): Suggestion | null {
  if (model === null || tokens === null || usableRows === 0) return null;
  return suggestSettings(
    model,
    { usableRows, totalTokens: tokens.total, longestRowTokens: tokens.longestRow },
    settings,
  );
}

/** 5e-4 x (2000 / hidden size)^0.781, a tenth of it for all weights, and again for preferences; one significant digit. */
function suggestLearningRate(hiddenSize: number, { method, objective }: Hyperparameters): number {
  const forLora = Math.min(largestLearningRate, 5e-4 * (2000 / hiddenSize) ** 0.781);
  const share = (method === 'full' ? 0.1 : 1) * (objective === 'dpo' ? 0.1 : 1);
  return Number((forLora * share).toPrecision(1));
}

/** The next power of two that holds the longest row, within bounds. */
function suggestContext({ maxContextTokens }: ModelSize, { longestRowTokens }: DatasetSize): number {
  const holding = 2 ** Math.ceil(Math.log2(Math.max(1, longestRowTokens)));
  return Math.min(maxContextTokens, largestContextTokens, Math.max(smallestContextTokens, holding));
}

function countEpochSteps(data: DatasetSize, settings: Hyperparameters, contextTokens: number): number {
  const { packing, batchRows, gradientAccumulation, evalRatio, testRatio } = settings;
  const rows = packing ? data.totalTokens / contextTokens : data.usableRows;
  const trainShare = Math.max(0, 1 - evalRatio - testRatio);
  return Math.max(1, Math.ceil((rows * trainShare) / (batchRows * gradientAccumulation)));
}
