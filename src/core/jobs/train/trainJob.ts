/**
 * @file A run's folder -> a trained adapter or model in it, as a stream of events. Writes metrics, samples, checkpoints
 * and output; status and control belong to whoever runs the job. A job whose run has checkpoints goes on from the newest.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { HubSettings } from '../../../shared/hubSettings.ts';
import type { PythonReport } from '../../../shared/pythonReport.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { checkTrained } from '../../adapter/checkTrained.ts';
import type { WeightCache } from '../../models/weightCache.ts';
import { AdamW } from '../../optim/adamW.ts';
import { readNotes } from '../../runs/runFiles.ts';
import { CheckpointFolder } from '../../train/checkpointFolder.ts';
import { type FolderFileSystem, nodeFolderFileSystem } from '../../train/stagedFolder.ts';
import type { TrainingEngine } from '../../train/trainingEngine.ts';
import { type TrainControl, type TrainEnd, trainLoop } from '../../train/trainLoop.ts';
import { planTraining } from '../../train/trainPlan.ts';
import { JobInterrupted, signalled } from '../interruption.ts';
import type { JobEnd, JobEvent } from '../jobEvents.ts';
import type { CheckOptions } from '../prepare/checkRun.ts';
import { type PreparedRun, prepareRun } from '../prepare/prepareRun.ts';
import { handOver } from '../pytorch/handOver.ts';
import { streamPhases } from '../streamPhases.ts';
import { addReference } from '../teacher/referencePass.ts';
import { addTeacher } from '../teacher/teacherPass.ts';
import { chooseRunDevice } from './chooseRunDevice.ts';
import { chooseRunPrecision } from './chooseRunPrecision.ts';
import { continueFrom, readReachedState } from './continueFrom.ts';
import { createAllocator } from './createAllocator.ts';
import { createRunEngine } from './createRunEngine.ts';
import { findNoGain } from './findNoGain.ts';
import { measureRounding } from './measureRounding.ts';
import { OutputWriter } from './outputWriter.ts';
import { readPeakRssBytes } from './peakMemory.ts';
import { RunRows } from './runRows.ts';
import { SampleAnswers } from './sampleAnswers.ts';

export interface TrainJobInput {
  /** The run's folder. */
  readonly run: string;
  readonly attempt: number;
  readonly control: TrainControl;
  readonly hub: HubSettings | undefined;
  readonly tinyFolder: string;
  /** The Python that the PyTorch engine would run with; absent: there is none. */
  readonly python?: PythonReport | undefined;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Where rounded weights are kept for the next run; absent: nowhere. */
  readonly weightCache?: WeightCache;
  readonly createEngine?: (prepared: PreparedRun) => Promise<TrainingEngine>;
  readonly fileSystem?: FolderFileSystem;
}

/** Standard AdamW; the rest is in the recipe. */
const epsilon = 1e-8;
const progressEveryMs = 1000;

/** @throws TuneError; finished checkpoints and output stand then */
export async function* trainJob(input: TrainJobInput): AsyncGenerator<JobEvent, JobEnd> {
  try {
    const prepared = yield* streamPhases(onPhase =>
      prepareRun(input.run, { ...pick(input), onPhase, measureRounding }),
    );
    try {
      if (prepared.record.engine === 'pytorch') {
        if (prepared.record.objective === 'distill') yield* addTeacher(input, prepared);
        return yield* handOver(input.run, prepared, input.weightCache);
      }
      return yield* trainPrepared(input, prepared);
    } finally {
      prepared.model.close();
    }
  } catch (error) {
    if (!(error instanceof JobInterrupted)) throw error;
    const checkpoints = new CheckpointFolder(join(input.run, runNames.checkpoints));
    const { step, baseEvalLossNats, bestEvalLossNats, bestStep } = readReachedState(checkpoints);
    const reached = { step, baseEvalLossNats, bestEvalLossNats, bestStep };
    return { reason: error.reason, output: null, ...reached, peakRssBytes: readPeakRssBytes() };
  }
}

function pick({ tinyFolder, hub, control, python }: TrainJobInput): Omit<CheckOptions, 'onPhase'> {
  return { tinyFolder, hub, control, python };
}

async function* trainPrepared(input: TrainJobInput, prepared: PreparedRun): AsyncGenerator<JobEvent, JobEnd> {
  const { run, attempt, control, now, fileSystem = nodeFolderFileSystem } = input;
  const { record } = prepared;
  const { hyperparameters } = record;
  for (const text of prepared.notes) yield { kind: 'note', text };
  for (const problem of prepared.warnings) yield { kind: 'warning', problem };
  const device = input.createEngine ? 'cpu' : yield* chooseRunDevice(run, prepared, { control, now });
  const halfPrecision = input.createEngine ? false : yield* chooseRunPrecision(run, prepared, device, { control, now });
  // Before the student is loaded: the two are never in memory together.
  const taught = hyperparameters.objective === 'distill' ? yield* addTeacher(input, prepared) : prepared.batches;
  yield { kind: 'phase', name: 'loading weights', done: 0, total: 1 };
  const engine = await (input.createEngine?.(prepared) ??
    createRunEngine(prepared, input.weightCache, device, halfPrecision));
  const rows = new RunRows(run, attempt);
  const samples = new SampleAnswers(prepared, engine);
  try {
    const { beta1, beta2, weightDecay } = hyperparameters;
    const optimizer = new AdamW(engine.parameters, { beta1, beta2, epsilon, weightDecay });
    const checkpoints = new CheckpointFolder(join(run, runNames.checkpoints), fileSystem);
    const output = new OutputWriter(run, prepared, readNotes(run).name, engine.parameters, fileSystem);
    const allocator = createAllocator(engine.parameters, hyperparameters, prepared.batches.totalSteps);
    const target = { parameters: engine.parameters, moments: optimizer.moments, extras: allocator?.tensors };
    // Before a checkpoint replaces the parameters that the run began with.
    const batches = hyperparameters.objective === 'dpo' ? yield* addReference(run, prepared, engine, control) : taught;
    const resumed = continueFrom(checkpoints, output, target, hyperparameters.keepCheckpoints);
    for (const text of resumed.notes) yield { kind: 'note', text };
    yield { kind: 'prepared', record, step: resumed.state.step, totalSteps: batches.totalSteps };

    const loop = trainLoop({
      engine,
      optimizer,
      allocator,
      scalesLoss: halfPrecision,
      stepBatches: batches.stepBatches,
      heldOut: batches.heldOut,
      plan: planTraining(hyperparameters, batches.totalSteps),
      settings: hyperparameters,
      state: resumed.state,
      control,
      now,
    });
    let end: TrainEnd;
    let toldProgressMs = now();
    for (;;) {
      const next = await loop.next();
      if (next.done === true) {
        end = next.value;
        break;
      }
      requireRunFolder(run);
      const event = next.value;
      switch (event.kind) {
        case 'step':
          yield { kind: 'step', row: rows.addStep(event, readPeakRssBytes()) };
          break;
        case 'evaluationProgress': {
          const nowMs = now();
          if (nowMs - toldProgressMs < progressEveryMs) break;
          toldProgressMs = nowMs;
          yield { kind: 'phase', name: 'evaluating', done: event.done, total: event.total };
          break;
        }
        case 'evaluation':
          yield { kind: 'evaluation', row: rows.addEvaluation(event), ...event.best };
          break;
        case 'sampleDue':
          for (const [done, prompt] of hyperparameters.samplePrompts.entries()) {
            if (control.ask() !== 'continue') break;
            yield { kind: 'phase', name: 'answering samples', done, total: hyperparameters.samplePrompts.length };
            const text = await signalled(control, signal => samples.answer(prompt, signal));
            // What a pause or stop cut short is not the model's answer.
            if (control.ask() === 'continue') yield { kind: 'sample', row: rows.addSample(event.step, prompt, text) };
          }
          break;
        case 'checkpointDue': {
          rows.sync();
          const contents = { ...target, state: event.state };
          const { step, path } = checkpoints.save(contents, hyperparameters.keepCheckpoints);
          if (event.isBest) output.write(event.state);
          yield { kind: 'checkpoint', step, path };
          break;
        }
      }
    }
    const { state, reason } = end;
    const isOver = reason === 'finished' || reason === 'stoppedEarly';
    if (isOver) checkTrained(engine.parameters, state.step);
    if (reason !== 'paused' && state.step > 0) {
      if (state.bestStep === null) output.write(state);
      else if (output.exists()) output.rewriteCard(state);
    }
    const problem = isOver ? findNoGain(record, state) : undefined;
    if (problem !== undefined) yield { kind: 'warning', problem };
    const { step, baseEvalLossNats, bestEvalLossNats, bestStep } = state;
    return {
      reason,
      step,
      output: output.exists() ? output.folder : null,
      baseEvalLossNats,
      bestEvalLossNats,
      bestStep,
      peakRssBytes: readPeakRssBytes(),
    };
  } finally {
    rows.close();
    await samples.release();
    await engine.dispose();
  }
}

/** A folder that was deleted is not made again, without the files that make it a run. */
function requireRunFolder(run: string): void {
  if (existsSync(join(run, runNames.run))) return;
  throw new TuneError('run-invalid', `${run}: expected the folder of this run, got one without ${runNames.run}`, {
    file: run,
    hint: 'It was deleted or moved while the run was on. Start the run again.',
  });
}
