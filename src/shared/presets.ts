/** @file Recipes to start from: for the form's list and the command line's `--preset`. */
import { defaultHyperparameters, type Hyperparameters } from './hyperparameters.ts';

export interface Preset {
  readonly id: string;
  readonly label: string;
  /** One sentence: for whom, and what it costs. */
  readonly help: string;
  readonly values: Partial<Hyperparameters>;
  /** The base model that the recipe was made for. */
  readonly model?: string;
}

export const presets: readonly Preset[] = [
  {
    id: 'quick',
    label: 'Quick trial',
    help: 'Sees within minutes whether the data works: 50 steps with a small adapter.',
    values: { rank: 8, alpha: 16, maxSteps: 50, epochs: 1, earlyStoppingPatience: 0 },
  },
  {
    id: 'quality',
    label: 'Quality',
    help: 'Takes its time: a larger adapter with DoRA and a little dropout, effective batches of 16 rows, stops when held-out loss rises.',
    values: { rank: 32, alpha: 64, dora: true, dropout: 0.05, batchRows: 4, gradientAccumulation: 4, epochs: 5 },
  },
  {
    id: 'qlora',
    label: 'QLoRA (least memory)',
    help: 'Fits a large model into little memory: 4-bit frozen weights, one row at a time, sixteen of them a step.',
    values: { baseWeights: '4bit', batchRows: 1, gradientAccumulation: 16 },
  },
  {
    id: 'full',
    label: 'Full fine-tuning',
    help: 'Trains every weight at a tenth of the learning rate of LoRA; takes about four times the memory of the model.',
    values: { method: 'full', learningRate: 2e-5, epochs: 3 },
  },
  {
    id: 'dpo',
    label: 'Preferences (DPO)',
    help: 'Learns to prefer chosen answers to rejected ones, gently and in one pass.',
    values: { objective: 'dpo', dpoBeta: 0.1, learningRate: 2e-5, epochs: 1 },
  },
  {
    id: 'llama2-lora',
    label: 'Llama-2-7b, LoRA',
    help: 'The well-known first recipe: rank 16, alpha 32 on the query and value projections, dropout 0.1, 3 epochs; the model is gated and needs a Hugging Face token.',
    model: 'meta-llama/Llama-2-7b-hf',
    values: {
      method: 'lora',
      rank: 16,
      alpha: 32,
      targetModules: ['q_proj', 'v_proj'],
      dropout: 0.1,
      epochs: 3,
      learningRate: 2e-4,
    },
  },
  {
    id: 'llama2-full',
    label: 'Llama-2-7b, all weights',
    help: 'The same model with every weight trained: 3 epochs at a learning rate of 2e-5, on cards with a great deal of memory.',
    model: 'meta-llama/Llama-2-7b-hf',
    values: { method: 'full', epochs: 3, learningRate: 2e-5 },
  },
];

/** Settings that say where a run computes, not what it learns: a preset leaves them. */
const kept = ['engine', 'device', 'threads', 'memoryLimitBytes', 'seed', 'samplePrompts'] as const;

/** The preset on the defaults, with what it leaves taken from `before`. */
export function applyPreset({ values }: Preset, before: Hyperparameters): Hyperparameters {
  const left = Object.fromEntries(kept.map(name => [name, before[name]])) as Partial<Hyperparameters>;
  return { ...defaultHyperparameters, ...left, ...values };
}

/** The preset whose values these are; undefined for settings of one's own. */
export function findPreset(values: Hyperparameters, model: string): Preset | undefined {
  return presets.find(preset => {
    if (preset.model !== undefined && preset.model !== model) return false;
    return JSON.stringify(applyPreset(preset, values)) === JSON.stringify({ ...defaultHyperparameters, ...values });
  });
}
