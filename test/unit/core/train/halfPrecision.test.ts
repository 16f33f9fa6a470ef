/** Training steps with products in float16, on the CPU: slower there, but the numbers are a device's. */
import { describe, expect, it } from 'vitest';
import { AdamW } from '../../../../src/core/optim/adamW.ts';
import {
  afterOverflow,
  afterSteadyStep,
  firstLossScale,
  type LossScale,
} from '../../../../src/core/optim/lossScale.ts';
import type { TrainingEngine } from '../../../../src/core/train/trainingEngine.ts';
import { type TrainEvent, trainLoop } from '../../../../src/core/train/trainLoop.ts';
import { planTraining } from '../../../../src/core/train/trainPlan.ts';
import { freshTrainState, type TrainState } from '../../../../src/core/train/trainState.ts';
import { defaultHyperparameters } from '../../../../src/shared/hyperparameters.ts';
import { makeTinyBatch } from './tinyBatch.ts';
import { gradientsOf, openTinyEngine, relativeDifference, tinyContextTokens } from './tinyEngine.ts';

const shapes = ['whole', 'layered'] as const;
const batch = makeTinyBatch(3, [{ segments: [5, 7] }, { segments: [9] }], tinyContextTokens);
/** float16 rounds each operand by up to 5e-4. */
const tolerance = { gradient: 1e-2, losses: 5e-3 };
/** Larger than any gradient of this model bears. */
const overflowing: LossScale = { scale: 2 ** 24, steadySteps: 5, skippedSteps: 0 };

interface Setup {
  readonly engine: TrainingEngine;
  readonly halfPrecision: boolean;
  readonly steps: number;
  readonly state?: TrainState;
  readonly optimizer?: AdamW;
}

async function train({
  engine,
  halfPrecision,
  steps,
  state = freshTrainState,
  optimizer = makeOptimizer(engine),
}: Setup) {
  const settings = { ...defaultHyperparameters, learningRate: 5e-3 };
  const loop = trainLoop({
    engine,
    optimizer,
    scalesLoss: halfPrecision,
    stepBatches: step => ({ epoch: step, batches: [batch] }),
    heldOut: [],
    plan: { ...planTraining(settings, 20), totalSteps: steps },
    settings,
    state,
    control: { ask: () => 'continue', takeCheckpointRequest: () => false },
    now: () => 0,
  });
  const rows: Extract<TrainEvent, { kind: 'step' }>[] = [];
  for (;;) {
    const next = await loop.next();
    if (next.done === true) return { rows, state: next.value.state, optimizer };
    if (next.value.kind === 'step') rows.push(next.value);
  }
}

function makeOptimizer({ parameters }: TrainingEngine): AdamW {
  return new AdamW(parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
}

const valuesOf = ({ parameters }: TrainingEngine): Float32Array[] => parameters.map(({ value }) => value.slice());

describe.each(shapes)('half precision, %s', shape => {
  it('gives the gradients and 20 losses of float32 but for its rounding, and evaluates in float32', async () => {
    const [half, single] = [await openTinyEngine({ shape, halfPrecision: true }), await openTinyEngine({ shape })];
    expect(await half.evaluate(batch)).toEqual(await single.evaluate(batch));
    const [a, b] = [await gradientsOf(half, [batch], 1024), await gradientsOf(single, [batch], 1024)];
    expect(relativeDifference(a.gradients, b.gradients)).toBeLessThan(tolerance.gradient);
    expect(relativeDifference(a.gradients, b.gradients)).toBeGreaterThan(1e-5);
    const inHalf = await train({ engine: half, halfPrecision: true, steps: 20 });
    const inSingle = await train({ engine: single, halfPrecision: false, steps: 20 });
    const losses = inSingle.rows.map(({ lossNats }) => lossNats);
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
    for (const [step, { lossNats, isSkipped }] of inHalf.rows.entries()) {
      expect(isSkipped).toBe(false);
      expect(Math.abs(lossNats / losses[step]! - 1)).toBeLessThan(tolerance.losses);
    }
    await Promise.all([half.dispose(), single.dispose()]);
  });

  it('skips steps whose gradients overflow and halves the scale until they do not', async () => {
    const engine = await openTinyEngine({ shape, halfPrecision: true });
    const before = valuesOf(engine);
    const state = { ...freshTrainState, lossScale: overflowing };
    const first = await train({ engine, halfPrecision: true, steps: 1, state });
    expect(first.rows[0]).toMatchObject({ isSkipped: true, lossScale: 2 ** 24, gradNorm: 0 });
    expect(first.state.lossScale).toEqual({ scale: 2 ** 23, steadySteps: 0, skippedSteps: 1 });
    expect(valuesOf(engine)).toEqual(before);
    const { rows } = await train({ engine, halfPrecision: true, steps: 20, state: first.state });
    const skipped = rows.filter(({ isSkipped }) => isSkipped).length;
    expect(skipped).toBeLessThan(19);
    expect(rows.at(-1)).toMatchObject({ isSkipped: false, lossScale: 2 ** (23 - skipped) });
    expect(valuesOf(engine)).not.toEqual(before);
    await engine.dispose();
  });

  it('goes on from a checkpoint as the straight run does, bit for bit, skipped steps included', async () => {
    const start = { ...freshTrainState, lossScale: overflowing };
    const straight = await openTinyEngine({ shape, halfPrecision: true });
    const whole = await train({ engine: straight, halfPrecision: true, steps: 14, state: start });
    const resumed = await openTinyEngine({ shape, halfPrecision: true });
    const half = await train({ engine: resumed, halfPrecision: true, steps: 7, state: start });
    // What a checkpoint keeps of the state.
    const state = JSON.parse(JSON.stringify(half.state)) as TrainState;
    const rest = await train({ engine: resumed, halfPrecision: true, steps: 14, state, optimizer: half.optimizer });
    expect([...half.rows, ...rest.rows]).toEqual(whole.rows);
    expect(valuesOf(resumed)).toEqual(valuesOf(straight));
    expect(whole.rows.some(({ isSkipped }) => isSkipped)).toBe(true);
    await Promise.all([straight.dispose(), resumed.dispose()]);
  });
});

describe('the loss scale', () => {
  it('doubles after 2,000 steps without overflow, up to a limit', () => {
    let scale: LossScale = firstLossScale;
    for (let step = 0; step < 1999; step++) scale = afterSteadyStep(scale);
    expect(scale).toEqual({ scale: 2 ** 16, steadySteps: 1999, skippedSteps: 0 });
    scale = afterSteadyStep(scale);
    expect(scale).toEqual({ scale: 2 ** 17, steadySteps: 0, skippedSteps: 0 });
    for (let step = 0; step < 40_000; step++) scale = afterSteadyStep(scale);
    expect(scale.scale).toBe(2 ** 24);
  });

  it('halves at an overflow and counts anew', () => {
    expect(afterOverflow({ scale: 8, steadySteps: 1999, skippedSteps: 2 })).toEqual({
      scale: 4,
      steadySteps: 0,
      skippedSteps: 3,
    });
  });
});
