/**
 * @file A run's settings and a device -> whether the device computes what the CPU computes. Loss and gradients of a
 * small model of the run's own architecture, method and loss are compared; where they differ, operation by operation.
 */
import { TuneError } from '../../shared/errors.ts';
import type { Device } from '../../shared/hyperparameters.ts';
import { plainLoss } from '../models/lossSpec.ts';
import { buildTrainingGraph } from '../models/trainingGraph.ts';
import { unscaleGradients } from '../optim/lossScale.ts';
import { makeBatchFeeds } from './batchFeeds.ts';
import { createTrainingEngine, prepareEngine, type TrainingEngineSettings } from './createTrainingEngine.ts';
import { firstDraw } from './dropoutMasks.ts';
import { type DifferingOperation, findDifferingOperation, relativeDifference } from './findDifferingOperation.ts';
import { drawNumbers, makeRandomWeights, makeSmallBatch, shrinkModel, smallBatchShape } from './smallModel.ts';
import type { TrainableParameter } from './trainingEngine.ts';

/**
 * Of a loss by itself, of a gradient and of an operation by the largest element. Float32 on another processor differs by
 * about 1e-6; a kernel that is wrong by 1e-3 and more. Half precision rounds each operand by up to 5e-4.
 */
const tolerances = {
  single: { loss: 1e-4, gradient: 5e-4, operation: 5e-4 },
  half: { loss: 5e-3, gradient: 3e-2, operation: 5e-3 },
} as const;
/** In half precision gradients below 6e-8 would be zero. */
const halfLossScale = 1024;

export type DeviceCheck =
  | { readonly ok: true; readonly largestDifference: number }
  | {
      readonly ok: false;
      /** What differs, or why it could not be computed. */
      readonly reason: string;
      /** The first operation that differs or fails on its own; absent where none does. */
      readonly operation?: string;
    };

/** Takes some seconds on a device that compiles a program for each operator. */
export async function checkDevice(settings: TrainingEngineSettings, device: Device): Promise<DeviceCheck> {
  const small = shrinkSettings(settings);
  const tolerance = tolerances[settings.halfPrecision ? 'half' : 'single'];
  const expected = await computeStep({ ...small, device: 'cpu', halfPrecision: false });
  let reason: string;
  try {
    const got = await computeStep({ ...small, device });
    const loss = relativeDifference([expected.lossNatsSum], [got.lossNatsSum]);
    const gradients = expected.gradients.map(({ gradient }, i) =>
      relativeDifference(gradient, got.gradients[i]!.gradient),
    );
    const worst = gradients.indexOf(Math.max(...gradients));
    if (loss <= tolerance.loss && gradients[worst]! <= tolerance.gradient) {
      return { ok: true, largestDifference: Math.max(loss, gradients[worst]!) };
    }
    reason =
      loss > tolerance.loss
        ? `a loss of ${got.lossNatsSum.toPrecision(6)} where the CPU has ${expected.lossNatsSum.toPrecision(6)}`
        : `gradients that differ by ${formatShare(gradients[worst]!)} (${expected.gradients[worst]!.name})`;
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    reason = error.message;
  }
  const differing = await findInSmallGraph(small, device, tolerance.operation);
  if (differing === undefined) return { ok: false, reason: `${reason}; each operation alone is right` };
  return { ok: false, reason: `${reason}; ${describe(differing)}`, operation: differing.operation };
}

function shrinkSettings(settings: TrainingEngineSettings): TrainingEngineSettings {
  const model = shrinkModel(settings.model);
  const { loss = plainLoss } = settings;
  return {
    ...settings,
    ...smallBatchShape,
    model,
    weights: makeRandomWeights(model),
    rank: Math.min(settings.rank, 4),
    layersToTransform: [],
    start: undefined,
    loss: loss.kind === 'distillation' ? { ...loss, topK: Math.min(loss.topK, 8) } : loss,
    cacheRounded: undefined,
    profilePrefix: undefined,
  };
}

interface SmallStep {
  readonly lossNatsSum: number;
  readonly gradients: readonly { readonly name: string; readonly gradient: Float32Array }[];
}

async function computeStep(settings: TrainingEngineSettings): Promise<SmallStep> {
  const engine = await createTrainingEngine(settings);
  try {
    fillZeros(engine.parameters);
    engine.zeroGradients();
    const scale = settings.halfPrecision ? halfLossScale : 1;
    const batch = makeSmallBatch(settings.loss ?? plainLoss);
    const { lossNatsSum } = await engine.accumulate(batch, scale, firstDraw);
    unscaleGradients(engine.parameters, scale);
    return {
      lossNatsSum,
      gradients: engine.parameters.map(({ name, gradient }) => ({ name, gradient: gradient.slice() })),
    };
  } finally {
    await engine.dispose();
  }
}

/** B starts at zero, which would leave A without gradient. */
function fillZeros(parameters: readonly TrainableParameter[]): void {
  for (const [index, { value }] of parameters.entries()) {
    if (value.every(x => x === 0)) value.set(drawNumbers(value.length, -0.1, 0.1, 1000, index));
  }
}

async function findInSmallGraph(
  settings: TrainingEngineSettings,
  device: Device,
  tolerance: number,
): Promise<DifferingOperation | undefined> {
  const { threads, halfPrecision } = settings;
  const { setup } = await prepareEngine({ ...settings, device: 'cpu' });
  fillZeros(setup.tensors.parameters);
  const graph = buildTrainingGraph(setup.model, setup.shape, setup.trainable, 'training', setup.loss);
  const feeds = {
    ...setup.tensors.feeds,
    ...makeBatchFeeds(makeSmallBatch(setup.loss), setup.shape, 1),
    ...setup.dropout?.draw(firstDraw),
  };
  return findDifferingOperation(graph, feeds, tolerance, { threads, device, halfPrecision });
}

function describe({ operation, failure, difference }: DifferingOperation): string {
  return failure === undefined
    ? `the operation ${operation} differs by ${formatShare(difference!)} on its own`
    : `the operation ${operation} fails: ${failure}`;
}

function formatShare(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toPrecision(2)} %` : 'numbers that are none';
}
