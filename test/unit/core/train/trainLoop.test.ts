import { describe, expect, it } from 'vitest';
import { AdamW } from '../../../../src/core/optim/adamW.ts';
import type { PackedBatch } from '../../../../src/core/text/packedBatch.ts';
import type { TrainingEngine } from '../../../../src/core/train/trainingEngine.ts';
import { type StepBatches, type TrainEnd, type TrainEvent, trainLoop } from '../../../../src/core/train/trainLoop.ts';
import { planTraining } from '../../../../src/core/train/trainPlan.ts';
import { freshTrainState, type TrainState } from '../../../../src/core/train/trainState.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../../../src/shared/hyperparameters.ts';
import { batchOf, createBigramEngine, seededRandom } from '../../../support/bigramEngine.ts';

const vocabulary = 7;
/** Sentences of a chain that mostly counts upwards. */
function sentence(seed: number): number[] {
  const random = seededRandom(seed);
  const tokens = [Math.floor(random() * vocabulary)];
  for (let i = 0; i < 11; i++) {
    const last = tokens.at(-1)!;
    tokens.push(random() < 0.8 ? (last + 1) % vocabulary : Math.floor(random() * vocabulary));
  }
  return tokens;
}
const heldOut = [batchOf(sentence(1001)), batchOf(sentence(1002).slice(0, 5))];

function stepBatches(accumulation: number): StepBatches {
  return step => ({
    epoch: step / 10,
    batches: Array.from({ length: accumulation }, (_, i) => batchOf(sentence(step * 10 + i))),
  });
}

interface Setup {
  settings?: Partial<Hyperparameters>;
  totalSteps?: number;
  engine?: TrainingEngine;
  optimizer?: AdamW;
  state?: TrainState;
  batches?: StepBatches;
  heldOut?: PackedBatch[];
  scalesLoss?: boolean;
  /** Called after each event; what it returns is asked for from then on. */
  onEvent?: (event: TrainEvent) => 'pause' | 'stop' | 'checkpoint' | undefined;
}

async function run(setup: Setup = {}) {
  const settings: Hyperparameters = { ...defaultHyperparameters, learningRate: 0.1, ...setup.settings };
  const engine = setup.engine ?? createBigramEngine(vocabulary);
  const optimizer =
    setup.optimizer ??
    new AdamW(engine.parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: settings.weightDecay });
  let asked: 'continue' | 'pause' | 'stop' = 'continue';
  let checkpointRequested = false;
  let clock = 0;
  const loop = trainLoop({
    engine,
    optimizer,
    stepBatches: setup.batches ?? stepBatches(1),
    heldOut: setup.heldOut ?? heldOut,
    scalesLoss: setup.scalesLoss,
    plan: planTraining(settings, setup.totalSteps ?? 20),
    settings,
    state: setup.state ?? freshTrainState,
    control: {
      ask: () => asked,
      takeCheckpointRequest: () => {
        const taken = checkpointRequested;
        checkpointRequested = false;
        return taken;
      },
    },
    now: () => (clock += 1),
  });
  const events: TrainEvent[] = [];
  for (;;) {
    const next = await loop.next();
    if (next.done === true) return { events, end: next.value as TrainEnd, engine, optimizer };
    events.push(next.value);
    const wish = setup.onEvent?.(next.value);
    if (wish === 'checkpoint') checkpointRequested = true;
    else if (wish !== undefined) asked = wish;
  }
}

const ofKind = <K extends TrainEvent['kind']>(events: readonly TrainEvent[], kind: K) =>
  events.filter((event): event is Extract<TrainEvent, { kind: K }> => event.kind === kind);

describe('trainLoop', () => {
  it('lowers training and held-out loss from the uniform guess of the untrained model', async () => {
    const { events, end } = await run({ totalSteps: 60 });
    const evaluations = ofKind(events, 'evaluation');
    expect(evaluations[0]).toMatchObject({ step: 0, supervisedTokens: 15 });
    expect(evaluations[0]!.evalLossNats).toBeCloseTo(Math.log(vocabulary), 6);
    expect(evaluations.at(-1)!.evalLossNats).toBeLessThan(0.8 * Math.log(vocabulary));
    expect(end.reason).toBe('finished');
    expect(end.state).toMatchObject({ step: 60, baseEvalLossNats: evaluations[0]!.evalLossNats });
  });

  it('evaluates the base model, every tenth of the run and the last step, and saves with each evaluation', async () => {
    const { events } = await run({ totalSteps: 33, settings: { earlyStoppingPatience: 0 } });
    const expected = [3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33];
    expect(ofKind(events, 'evaluation').map(e => e.step)).toEqual([0, ...expected]);
    expect(ofKind(events, 'checkpointDue').map(e => e.state.step)).toEqual(expected);
  });

  it('gives the same steps for k batches of one row as for one batch of k rows', async () => {
    const joined = (step: number) => {
      const parts = stepBatches(3)(step).batches;
      const tokens = parts.flatMap(part => [...part.tokenIds]);
      const offsets = parts.map((_, i) => parts.slice(0, i).reduce((sum, p) => sum + p.contextTokens, 0));
      const positions = parts.flatMap((part, i) => [...part.targetPositions].map(p => p + offsets[i]!));
      const labels = parts.flatMap(part => [...part.labels]);
      return {
        epoch: step / 10,
        batches: [
          {
            ...batchOf(tokens),
            targetPositions: Int32Array.from(positions),
            labels: Int32Array.from(labels),
            labelWeights: new Float32Array(labels.length).fill(1),
          },
        ],
      };
    };
    const split = ofKind((await run({ batches: stepBatches(3) })).events, 'step');
    const whole = ofKind((await run({ batches: joined })).events, 'step');
    for (const [i, step] of split.entries()) {
      expect(step.lossNats).toBeCloseTo(whole[i]!.lossNats, 5);
      expect(step.gradNorm).toBeCloseTo(whole[i]!.gradNorm, 5);
    }
  });

  it('weighs every token of a step equally, however its batches are cut', async () => {
    const short = batchOf([0, 1]);
    const long = batchOf([2, 4, 6, 1, 3, 5]);
    const { events } = await run({ totalSteps: 1, batches: () => ({ epoch: 1, batches: [short, long] }) });
    expect(ofKind(events, 'step')[0]).toMatchObject({ supervisedTokens: 6, lossNats: expect.closeTo(Math.log(7), 6) });
  });

  it('repeats itself bit for bit', async () => {
    const [a, b] = [await run(), await run()];
    expect(a.events).toEqual(b.events);
    expect(a.engine.parameters[0]!.value).toEqual(b.engine.parameters[0]!.value);
  });

  it('pauses after the running step with its state saved, and continues to the same parameters', async () => {
    const straight = await run({ settings: { earlyStoppingPatience: 0 } });
    const first = await run({
      settings: { earlyStoppingPatience: 0 },
      onEvent: event => (event.kind === 'step' && event.step === 7 ? 'pause' : undefined),
    });
    expect(first.end.reason).toBe('paused');
    expect(first.events.at(-1)).toMatchObject({ kind: 'checkpointDue', state: { step: 7 } });
    const second = await run({
      settings: { earlyStoppingPatience: 0 },
      engine: first.engine,
      optimizer: first.optimizer,
      state: first.end.state,
    });
    expect(second.engine.parameters[0]!.value).toEqual(straight.engine.parameters[0]!.value);
    expect(second.end.state).toMatchObject({ ...straight.end.state, elapsedMs: expect.any(Number) });
  });

  it('gives up an evaluation when it is asked to pause, and makes it up after resuming', async () => {
    const first = await run({
      onEvent: event => (event.kind === 'evaluationProgress' && event.done === 1 ? 'pause' : undefined),
    });
    expect(ofKind(first.events, 'evaluation')).toEqual([]);
    expect(first.end).toMatchObject({ reason: 'paused', state: { step: 0, evaluatedStep: -1 } });
    const second = await run({ engine: first.engine, optimizer: first.optimizer, state: first.end.state });
    expect(ofKind(second.events, 'evaluation')[0]!.step).toBe(0);
  });

  it('does not call a run finished whose last evaluation was interrupted', async () => {
    let evaluations = 0;
    const { end } = await run({
      totalSteps: 4,
      onEvent: event => {
        if (event.kind === 'evaluation') evaluations++;
        return event.kind === 'evaluationProgress' && evaluations === 4 ? 'stop' : undefined;
      },
    });
    expect(end).toMatchObject({ reason: 'stopped', state: { step: 4, evaluatedStep: 3 } });
  });

  it('saves once when asked in between', async () => {
    const { events } = await run({
      totalSteps: 30,
      settings: { evalEverySteps: 30 },
      onEvent: event => (event.kind === 'step' && event.step === 11 ? 'checkpoint' : undefined),
    });
    expect(ofKind(events, 'checkpointDue').map(e => e.state.step)).toEqual([11, 30]);
  });

  it('stops early when the held-out loss no longer falls, and knows the best step', async () => {
    const memorised = batchOf([0, 1, 2, 3, 4, 5, 6, 0]);
    const contrary = batchOf([0, 6, 5, 4, 3, 2, 1, 0, 1]);
    const { events, end } = await run({
      totalSteps: 100,
      heldOut: [contrary],
      batches: () => ({ epoch: 1, batches: [memorised] }),
      settings: { evalEverySteps: 2, earlyStoppingPatience: 3 },
    });
    const evaluations = ofKind(events, 'evaluation').filter(e => e.step > 0);
    const lowest = evaluations.reduce((best, e) => (e.evalLossNats < best.evalLossNats ? e : best));
    expect(end).toMatchObject({ reason: 'stoppedEarly', state: { bestStep: lowest.step } });
    expect(end.state.step).toBe(lowest.step + 6);
    expect(
      ofKind(events, 'checkpointDue')
        .filter(e => e.isBest)
        .at(-1)!.state.step,
    ).toBe(lowest.step);
  });

  it('saves the best step even when no save is due', async () => {
    const { events } = await run({ settings: { evalEverySteps: 5, saveEverySteps: 1000 } });
    expect(ofKind(events, 'checkpointDue').map(e => e.state.step)).toEqual([5, 10, 15, 20]);
  });

  it('runs without held-out rows and saves by the same clock', async () => {
    const { events, end } = await run({ heldOut: [], totalSteps: 10, settings: { evalEverySteps: 5 } });
    expect(ofKind(events, 'evaluation')).toEqual([]);
    expect(ofKind(events, 'sampleDue').map(e => e.step)).toEqual([0, 5, 10]);
    expect(ofKind(events, 'checkpointDue').map(e => e.state.step)).toEqual([5, 10]);
    expect(end.state.bestStep).toBeNull();
  });

  it('names step and likely cause when the loss is not finite, and keeps the last good parameters', async () => {
    const engine = createBigramEngine(vocabulary);
    const faulty: TrainingEngine = {
      ...engine,
      accumulate: async (batch, weight) =>
        engine.calls.accumulate === 4
          ? { lossNatsSum: Number.NaN, weightSum: 1 }
          : await engine.accumulate(batch, weight),
    };
    await expect(run({ engine: faulty, settings: { learningRate: 0.5 } })).rejects.toMatchObject({
      code: 'not-finite',
      message: 'step 5: expected a finite loss, got NaN',
      hint: expect.stringContaining('learning rate 0.5'),
    });
    expect(engine.parameters[0]!.value.every(Number.isFinite)).toBe(true);
  });

  it('advises float32 when a loss computed in float16 is not finite, whatever the learning rate', async () => {
    const engine = createBigramEngine(vocabulary);
    const faulty: TrainingEngine = { ...engine, accumulate: async () => ({ lossNatsSum: Number.NaN, weightSum: 1 }) };
    const settings = { learningRate: 0.5 };
    await expect(run({ engine: faulty, settings, scalesLoss: true })).rejects.toMatchObject({
      code: 'not-finite',
      hint: "Likely cause: values beyond float16's range; set precision to float32.",
    });
  });

  it('names the gradient when only that overflows', async () => {
    const engine = createBigramEngine(vocabulary);
    const faulty: TrainingEngine = {
      ...engine,
      accumulate: async (batch, weight) => {
        const loss = await engine.accumulate(batch, weight);
        engine.parameters[1]!.gradient[0] = Number.POSITIVE_INFINITY;
        return loss;
      },
    };
    await expect(run({ engine: faulty, settings: { learningRate: 1e-4, clipNorm: 0 } })).rejects.toMatchObject({
      code: 'not-finite',
      message: 'step 1: expected a finite gradient, got Infinity',
      hint: expect.stringContaining('clipNorm'),
    });
  });
});
