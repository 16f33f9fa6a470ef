/** @file A model, its weights and the shape of a run -> the engine that fits the memory limit. */
import { totalmem } from 'node:os';
import { TuneError } from '../../shared/errors.ts';
import type { BaseWeights } from '../../shared/hyperparameters.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import type { Model } from '../models/findArchitecture.ts';
import { findTargets } from '../models/loraNames.ts';
import type { TrainableSpec } from '../models/trainingContext.ts';
import { DropoutMasks } from './dropoutMasks.ts';
import { loadEngineTensors } from './engineTensors.ts';
import { forecastMemory } from './forecastMemory.ts';
import { LayeredEngine } from './layeredEngine.ts';
import { loraScale } from './loraScale.ts';
import { planWeightForms } from './planWeightForms.ts';
import type { TrainingEngine } from './trainingEngine.ts';
import { type EngineSetup, WholeGraphEngine } from './wholeGraphEngine.ts';

export interface TrainingEngineSettings {
  readonly model: Model;
  /** May be closed once the engine is there. */
  readonly weights: TensorSource;
  readonly method: 'lora' | 'full';
  /** Names of linear layers (`q_proj`), as PEFT matches them. Read for LoRA only, like the rest of the adapter's settings. */
  readonly targetModules: readonly string[];
  readonly rank: number;
  readonly alpha: number;
  readonly rsLora?: boolean | undefined;
  /** Share of the elements of the adapters' inputs that are dropped in training, 0 by default. */
  readonly dropout?: number | undefined;
  /** Learning rate of B over that of A (LoRA+), 1 by default. */
  readonly loraPlusRatio?: number | undefined;
  /** How the frozen weights are held; default float32, which is `auto` for whoever did not plan before. */
  readonly baseWeights?: BaseWeights | 'auto' | undefined;
  readonly seed: number;
  readonly batchRows: number;
  readonly contextTokens: number;
  /** 0 = one a physical core. */
  readonly threads: number;
  /** Default: half of the machine's memory. */
  readonly memoryLimitBytes?: number | undefined;
  /** Default: `whole` when its forecast fits the limit, else `layered`. */
  readonly shape?: EngineShape | undefined;
  /** Where the engine's sessions write what each operator took; see SessionOptions. */
  readonly profilePrefix?: string | undefined;
}

export type EngineShape = 'whole' | 'layered';

/** The engine; its parameters hold the starting values. Call `dispose` when done. */
export async function createTrainingEngine(settings: TrainingEngineSettings): Promise<TrainingEngine> {
  const { batchRows, contextTokens } = settings;
  const weightForms = planWeightForms(settings.model, settings.weights, settings.baseWeights ?? 'auto');
  const model = { ...settings.model, weightForms };
  const shape = settings.shape ?? planEngineShape(settings);
  const trainable = specifyTrainable(settings, shape);
  const setup: EngineSetup = {
    model,
    trainable,
    shape: { batchRows, contextTokens },
    tensors: loadEngineTensors(
      model,
      settings.weights,
      trainable,
      settings.seed,
      contextTokens,
      settings.loraPlusRatio,
    ),
    session: { threads: settings.threads, profilePrefix: settings.profilePrefix },
    dropout: makeDropout(settings, trainable),
  };
  return shape === 'whole' ? WholeGraphEngine.create(setup) : LayeredEngine.create(setup);
}

/** The faster engine if it fits, else the smaller one. */
export function planEngineShape(settings: Omit<TrainingEngineSettings, 'weights' | 'shape'>): EngineShape {
  const limit = settings.memoryLimitBytes ?? totalmem() / 2;
  return forecastMemory(settings).totalBytes.whole <= limit ? 'whole' : 'layered';
}

function makeDropout(settings: TrainingEngineSettings, trainable: TrainableSpec): DropoutMasks | undefined {
  if (trainable.method !== 'lora' || !trainable.drops) return undefined;
  const { model, seed, dropout = 0, batchRows, contextTokens } = settings;
  const { layers } = model.architecture.describeParameters(model.config);
  const targets = layers.flat().filter(({ name }) => trainable.targets.has(name));
  return new DropoutMasks(seed, dropout, batchRows * contextTokens, targets);
}

function specifyTrainable(settings: TrainingEngineSettings, shape: EngineShape): TrainableSpec {
  if (settings.method === 'full') return { method: 'full' };
  const { model, rank, targetModules } = settings;
  const { layers } = model.architecture.describeParameters(model.config);
  const targets = findTargets(layers.flat(), targetModules);
  if (targets.length === 0) {
    const known = layers[0]!.filter(({ kind }) => kind === 'linear').map(({ name }) => name.split('.').at(-2));
    throw new TuneError(
      'usage',
      `targetModules: expected some of ${known.join(', ')}, got ${targetModules.join(', ')}`,
      {
        hint: 'Leave the setting out to train every linear layer.',
      },
    );
  }
  return {
    method: 'lora',
    rank,
    scale: loraScale(settings),
    mergesWeights: shape === 'layered', // a layer's merged copy lives only while the layer runs
    drops: (settings.dropout ?? 0) > 0,
    targets: new Set(targets.map(({ name }) => name)),
  };
}
