/**
 * @file The training loop: an engine and the batches of each step -> a stream of typed events. It decides what happens
 * when; whoever reads the events writes files and draws curves. Everything it does is a pure function of the state it
 * starts from, so a run continued from a checkpoint repeats the straight run's numbers bit for bit.
 */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import type { Measures } from '../../shared/runFolder.ts';
import type { AdamW } from '../optim/adamW.ts';
import { learningRateAt } from '../optim/learningRate.ts';
import { afterOverflow, afterSteadyStep, firstLossScale } from '../optim/lossScale.ts';
import type { RankAllocator } from '../optim/rankAllocator.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { checkFinite } from './checkFinite.ts';
import { evaluateHeldOut, type PackedBatches } from './evaluateHeldOut.ts';
import { runStep } from './runStep.ts';
import type { TrainingEngine } from './trainingEngine.ts';
import { isEvaluationStep, isSaveStep, type TrainPlan } from './trainPlan.ts';
import { type TrainState, withEvaluation } from './trainState.ts';

/** The batches of optimizer step `step` (from 1): a pure function of the seed and the step. */
export type StepBatches = (step: number) => { readonly epoch: number; readonly batches: readonly PackedBatch[] };

/** What somebody outside wants of a running loop; asked between batches. */
export interface TrainControl {
  /** Sticky: once `pause` or `stop`, the loop ends at the next step. */
  ask(): 'continue' | 'pause' | 'stop';
  /** True once for each request to save now. */
  takeCheckpointRequest(): boolean;
}

export interface TrainInput {
  readonly engine: TrainingEngine;
  readonly optimizer: AdamW;
  /** For AdaLoRA. */
  readonly allocator?: RankAllocator | undefined;
  /** The engine's steps are in half precision: the loss is scaled, and steps that overflow are skipped. */
  readonly scalesLoss?: boolean | undefined;
  readonly stepBatches: StepBatches;
  readonly heldOut: PackedBatches;
  readonly plan: TrainPlan;
  readonly settings: Pick<Hyperparameters, 'method' | 'learningRate' | 'clipNorm'>;
  readonly state: TrainState;
  readonly control: TrainControl;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

export type TrainEvent =
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly epoch: number;
      readonly lossNats: number;
      readonly learningRate: number;
      readonly gradNorm: number;
      readonly supervisedTokens: number;
      readonly tokensPerSecond: number;
      readonly elapsedMs: number;
      readonly measures: Measures;
      /** In half precision: what the loss was multiplied by on the way back, and whether the step was skipped. */
      readonly lossScale?: number;
      readonly isSkipped?: boolean;
    }
  | { readonly kind: 'evaluationProgress'; readonly done: number; readonly total: number }
  | {
      readonly kind: 'evaluation';
      readonly step: number;
      readonly evalLossNats: number;
      readonly supervisedTokens: number;
      readonly elapsedMs: number;
      readonly measures: Measures;
      /** Best so far, this evaluation included. */
      readonly best: Pick<TrainState, 'bestStep' | 'bestEvalLossNats'>;
    }
  /** Time to answer the sample prompts. */
  | { readonly kind: 'sampleDue'; readonly step: number }
  /** Time to save; `isBest` when these parameters have the lowest held-out loss so far. The loop goes on when asked for its next event. */
  | { readonly kind: 'checkpointDue'; readonly state: TrainState; readonly isBest: boolean };

export interface TrainEnd {
  readonly reason: 'finished' | 'stoppedEarly' | 'paused' | 'stopped';
  readonly state: TrainState;
}

/** @throws TuneError `not-finite` when the loss or a gradient is; the parameters are then those of the step before. */
export async function* trainLoop(input: TrainInput): AsyncGenerator<TrainEvent, TrainEnd> {
  const { engine, optimizer, plan, settings, control, now } = input;
  let state = input.state;
  let savedStep = state.step > 0 ? state.step : -1;
  let previousGradNorm: number | null = null;
  let markMs = now();
  const addElapsed = () => {
    const nowMs = now();
    state = { ...state, elapsedMs: state.elapsedMs + nowMs - markMs };
    markMs = nowMs;
    return state.elapsedMs;
  };

  for (;;) {
    let isBest = false;
    const isUnevaluated = () => isEvaluationStep(state.step, plan) && state.evaluatedStep < state.step;
    if (isUnevaluated() && control.ask() === 'continue') {
      const loss = yield* evaluate(input);
      if (loss !== undefined) {
        const elapsedMs = addElapsed();
        if (loss !== 'none') {
          checkFinite('held-out loss', state.step, loss.evalLossNats, { ...settings, previousGradNorm });
          ({ state, isBest } = withEvaluation(state, loss.evalLossNats));
          const { bestStep, bestEvalLossNats } = state;
          const best = { bestStep, bestEvalLossNats };
          yield { kind: 'evaluation', step: state.step, ...loss, elapsedMs, best };
        } else {
          state = { ...state, evaluatedStep: state.step };
        }
        yield { kind: 'sampleDue', step: state.step };
      }
    }

    const asked = control.ask();
    const stopsEarly = plan.patience > 0 && state.evaluationsSinceBest >= plan.patience;
    const isOver = state.step >= plan.totalSteps || stopsEarly;
    const isRequested = control.takeCheckpointRequest();
    const isDue = isBest || isRequested || isSaveStep(state.step, plan) || isOver || asked !== 'continue';
    if (isBest || isRequested || (isDue && savedStep !== state.step)) {
      addElapsed();
      yield { kind: 'checkpointDue', state, isBest };
      savedStep = state.step;
    }
    if (asked !== 'continue' && (!isOver || isUnevaluated())) {
      return { reason: asked === 'pause' ? 'paused' : 'stopped', state };
    }
    if (isOver) return { reason: stopsEarly && state.step < plan.totalSteps ? 'stoppedEarly' : 'finished', state };

    const step = state.step + 1;
    const { epoch, batches } = input.stepBatches(step);
    const learningRate = learningRateAt(step, plan.learningRate);
    const startMs = now();
    const clues = { ...settings, previousGradNorm, halfPrecision: input.scalesLoss };
    const lossScale = input.scalesLoss ? (state.lossScale ?? firstLossScale) : undefined;
    const outcome = await runStep(engine, optimizer, {
      step,
      batches,
      learningRate,
      clipNorm: settings.clipNorm,
      clues,
      lossScale: lossScale?.scale,
      update: step - (lossScale?.skippedSteps ?? 0),
      allocator: input.allocator,
    });
    const stepMs = now() - startMs;
    if (!outcome.isSkipped) previousGradNorm = outcome.gradNorm;
    state = {
      ...state,
      step,
      lastLossNats: outcome.lossNats,
      ...(lossScale && { lossScale: outcome.isSkipped ? afterOverflow(lossScale) : afterSteadyStep(lossScale) }),
    };
    yield {
      kind: 'step',
      step,
      epoch,
      lossNats: outcome.lossNats,
      learningRate,
      gradNorm: outcome.gradNorm,
      supervisedTokens: outcome.supervisedTokens,
      tokensPerSecond: stepMs > 0 ? (outcome.tokens * 1000) / stepMs : 0,
      elapsedMs: addElapsed(),
      measures: outcome.measures,
      ...(lossScale && { lossScale: lossScale.scale, isSkipped: outcome.isSkipped }),
    };
  }
}

/** The held-out loss; `none` without held-out rows, undefined when a pause or stop came in between. */
async function* evaluate({ engine, heldOut, control }: TrainInput) {
  if (heldOut.length === 0) return 'none' as const;
  const progress = evaluateHeldOut(engine, heldOut, () => control.ask() !== 'continue');
  for (;;) {
    const next = await progress.next();
    if (next.done === true) return next.value;
    yield { kind: 'evaluationProgress' as const, ...next.value };
  }
}
