/** @file A model, its weights and the shape of a run -> the engine that fits the memory limit. */
import { totalmem } from 'node:os';
import type { BaseWeights, Device } from '../../shared/hyperparameters.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import type { ParameterInfo } from '../models/architecture.ts';
import { type ChosenParameters, chooseTrainable, type TrainableSettings } from '../models/chooseTrainable.ts';
import type { Model } from '../models/findArchitecture.ts';
import { type LossSpec, plainLoss } from '../models/lossSpec.ts';
import type { QuantizedTensors } from '../models/quantizedTensors.ts';
import type { TrainableSpec } from '../models/trainableSpec.ts';
import { DropoutMasks } from './dropoutMasks.ts';
import { loadEngineTensors } from './engineTensors.ts';
import { findStepType } from './findStepType.ts';
import { forecastMemory } from './forecastMemory.ts';
import { holdWeights } from './holdWeights.ts';
import { LayeredEngine } from './layeredEngine.ts';
import { loraScale } from './loraScale.ts';
import type { StartValues } from './startValues.ts';
import type { TrainingEngine } from './trainingEngine.ts';
import { type EngineSetup, WholeGraphEngine } from './wholeGraphEngine.ts';

/** Beside method and learning, what an adapter's settings say is read for LoRA alone. */
export interface TrainingEngineSettings extends TrainableSettings {
  readonly model: Model;
  /** May be closed once the engine is there. */
  readonly weights: TensorSource;
  readonly rank: number;
  readonly alpha: number;
  readonly rsLora?: boolean | undefined;
  /** Share of the elements of the adapters' inputs that are dropped in training, 0 by default. */
  readonly dropout?: number | undefined;
  /** Gives each rank a factor of its own (AdaLoRA). */
  readonly adaLora?: boolean | undefined;
  /** Trains directions and magnitudes of the weights apart (DoRA). */
  readonly dora?: boolean | undefined;
  /** Values to start from, and adapters beneath; absent: a fresh start. */
  readonly start?: StartValues | undefined;
  /** Learning rate of B over that of A (LoRA+), 1 by default. */
  readonly loraPlusRatio?: number | undefined;
  /** How the frozen weights are held; default float32, which is `auto` for whoever did not plan before. */
  readonly baseWeights?: BaseWeights | 'auto' | undefined;
  /** Keeps what `4bit` rounds; absent: it is rounded anew at each start. */
  readonly cacheRounded?: ((rounded: QuantizedTensors) => TensorSource) | undefined;
  readonly seed: number;
  readonly batchRows: number;
  readonly contextTokens: number;
  /** 0 = one a physical core. */
  readonly threads: number;
  /** Where sessions run; `auto`, the default, is the CPU for whoever did not choose before. */
  readonly device?: Device | 'auto' | undefined;
  /** Products of training steps in float16; who trains so scales the loss (`optim/lossScale.ts`). Default off. */
  readonly halfPrecision?: boolean | undefined;
  /** Default: half of the machine's memory. */
  readonly memoryLimitBytes?: number | undefined;
  /** Default: `whole` when its forecast fits the limit, else `layered`. */
  readonly shape?: EngineShape | undefined;
  /** Default: the negative log-likelihood of the labels. */
  readonly loss?: LossSpec | undefined;
  /** Where the engine's sessions write what each operator took; see SessionOptions. */
  readonly profilePrefix?: string | undefined;
}

export type EngineShape = 'whole' | 'layered';

/** The engine; its parameters hold the starting values. Call `dispose` when done. */
export async function createTrainingEngine(settings: TrainingEngineSettings): Promise<TrainingEngine> {
  const { engine, setup } = await prepareEngine(settings);
  return engine === 'whole' ? WholeGraphEngine.create(setup) : LayeredEngine.create(setup);
}

/** The engine that fits, and what it is made of: every tensor in memory, no graph yet. */
export async function prepareEngine(
  settings: TrainingEngineSettings,
): Promise<{ readonly engine: EngineShape; readonly setup: EngineSetup }> {
  const { batchRows, contextTokens } = settings;
  const chosen = chooseTrainable(settings.model, settings);
  const { baseWeights = 'auto', cacheRounded } = settings;
  const stepType = baseWeights === '8bit' ? await findStepType() : undefined;
  const options = { stepType, cacheRounded };
  const { model, weights } = holdWeights(settings.model, settings.weights, settings, baseWeights, options);
  const shape = settings.shape ?? planEngineShape({ ...settings, model });
  const trainable = specifyTrainable(settings, chosen, shape);
  const setup: EngineSetup = {
    model,
    trainable,
    shape: { batchRows, contextTokens },
    tensors: loadEngineTensors(model, weights, trainable, settings),
    loss: settings.loss ?? plainLoss,
    session: {
      threads: settings.threads,
      device: settings.device === 'auto' ? 'cpu' : settings.device,
      profilePrefix: settings.profilePrefix,
      halfPrecision: settings.halfPrecision,
    },
    dropout: makeDropout(settings, trainable, chosen.targets),
  };
  if (weights !== settings.weights) weights.close();
  return { engine: shape, setup };
}

/** The faster engine if it fits, else the smaller one. */
export function planEngineShape(settings: Omit<TrainingEngineSettings, 'weights' | 'shape'>): EngineShape {
  const limit = settings.memoryLimitBytes ?? totalmem() / 2;
  return forecastMemory(settings).totalBytes.whole <= limit ? 'whole' : 'layered';
}

function makeDropout(
  settings: TrainingEngineSettings,
  trainable: TrainableSpec,
  targets: readonly ParameterInfo[],
): DropoutMasks | undefined {
  if (trainable.method !== 'lora' || !trainable.drops) return undefined;
  const { seed, dropout = 0, batchRows, contextTokens } = settings;
  return new DropoutMasks(seed, dropout, batchRows * contextTokens, targets);
}

function specifyTrainable(
  settings: TrainingEngineSettings,
  { targets, whole }: ChosenParameters,
  shape: EngineShape,
): TrainableSpec {
  if (settings.method === 'full') return { method: 'full' };
  return {
    method: 'lora',
    rank: settings.rank,
    scale: loraScale(settings),
    mergesWeights: shape === 'layered', // a layer's merged copy lives only while the layer runs
    drops: (settings.dropout ?? 0) > 0,
    adaptsRank: settings.adaLora,
    gains: settings.dora ? 'trained' : undefined,
    stacked: new Map(settings.start?.stacked.map(({ module, rank }) => [module, rank])),
    targets: new Set(targets.map(({ name }) => name)),
    whole: new Set(whole.map(({ name }) => name)),
  };
}
