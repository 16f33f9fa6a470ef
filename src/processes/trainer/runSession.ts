/** @file One attempt at a run whose device is ours: thread, status, control and final state. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobEnd, JobEvent } from '../../core/jobs/jobEvents.ts';
import { readStatus, readStoredRequest } from '../../core/runs/runFiles.ts';
import { exitCodes, type JsonLine } from '../../shared/commandLine.ts';
import type { EndpointKeys } from '../../shared/endpointKeys.ts';
import { type ErrorCode, toWireError, type WireError } from '../../shared/errors.ts';
import type { HubSettings } from '../../shared/hubSettings.ts';
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import type { PythonReport } from '../../shared/pythonReport.ts';
import { type ProcessIdentity, type RunStatus, runNames, type WrittenState } from '../../shared/runFolder.ts';
import type { StoredRequest } from '../../shared/storedRecord.ts';
import type { TrackerOrders } from '../../shared/trackers.ts';
import { runComputeThread } from './computeThread.ts';
import { ControlKeeper } from './controlKeeper.ts';
import { toJsonLine, toResultLine } from './jsonLines.ts';
import { findPython } from './pytorch/findPython.ts';
import { PytorchAttempt } from './pytorch/pytorchAttempt.ts';
import { StatusKeeper } from './statusKeeper.ts';
import { ControlWriter } from './workerProtocol.ts';

/** Of the training that the run is, or that its trials are; stages of a pipeline ask for themselves, evaluations for none. */
function settingsOf(request: StoredRequest): Hyperparameters | undefined {
  if (request.kind === 'pipeline' || request.kind === 'evaluate') return undefined;
  return request.kind === 'search' ? request.base.hyperparameters : request.hyperparameters;
}

export interface SessionInput {
  readonly run: string;
  /** As it was queued. */
  readonly status: RunStatus;
  readonly identity: ProcessIdentity;
  readonly attached: boolean;
  readonly hub: HubSettings | undefined;
  /** Of endpoints that teach. */
  readonly endpointKeys: EndpointKeys;
  /** Of this run; its keys go on to the runs that it starts. */
  readonly trackers: TrackerOrders | undefined;
  /** The recipe is written and training begins. */
  readonly onPrepared: () => void;
  readonly log: (text: string) => void;
  /** Attached only. */
  readonly sendLine: (line: JsonLine) => void;
  readonly sendNote: (text: string) => void;
}

/** Errors in what the user gave or in the disk under it. An attached parent tells them at once, so that no run needs to stay behind for them. */
const inputErrors: readonly ErrorCode[] = [
  'usage',
  'dataset-unreadable',
  'dataset-invalid',
  'dataset-empty',
  'model-not-found',
  'model-invalid',
  'model-unsupported',
  'model-gated',
  'tokenizer-invalid',
  'template-invalid',
  'preflight',
  'memory',
  'disk-full',
  'not-writable',
];

const endStates = { finished: 'finished', stoppedEarly: 'finished', paused: 'paused', stopped: 'stopped' } as const;

export class RunSession {
  private readonly input: SessionInput;
  private readonly status: StatusKeeper;
  private readonly control: ControlKeeper;
  private readonly writer = new ControlWriter();
  /** While Python looks after status and requests. */
  private pytorch: PytorchAttempt | undefined;
  private asked: 'pause' | 'stop' | undefined;

  constructor(input: SessionInput) {
    this.input = input;
    const report = (error: unknown) => input.log(`trainer: ${error instanceof Error ? error.message : String(error)}`);
    this.status = new StatusKeeper(input.run, input.status, report);
    this.control = new ControlKeeper(input.run, type => this.obey(type), report);
  }

  /** Ends after the running step, with a checkpoint. */
  ask(what: 'pause' | 'stop'): void {
    if (this.pytorch === undefined) this.obey(what);
    else this.pytorch.ask(what);
  }

  /** The exit code, once everything about this attempt is on disk. */
  async run(): Promise<number> {
    const { run, status, identity, hub, endpointKeys, trackers, log } = this.input;
    this.status.set({ state: 'preparing', identity, phase: { name: 'starting', done: 0, total: 1 } });
    this.status.startHeartbeat();
    this.control.start();
    log(`trainer: attempt ${status.attempt}, process ${identity.pid}, node ${process.version}`);
    let python: PythonReport | undefined;
    try {
      const settings = settingsOf(readStoredRequest(run));
      python = settings === undefined ? undefined : await findPython(settings);
    } catch (error) {
      this.status.stopHeartbeat();
      this.control.stop();
      return this.fail(toWireError(error), '');
    }
    const outcome = await runComputeThread(
      {
        run,
        attempt: status.attempt,
        identity,
        control: this.writer.buffer,
        hub,
        endpointKeys,
        trackers,
        tinyFolder: fileURLToPath(new URL('../media/tiny', import.meta.url)),
        python,
      },
      event => this.handle(event),
    );
    this.status.stopHeartbeat();
    this.control.stop();
    if ('error' in outcome) return this.fail(outcome.error, outcome.detail);
    const { end } = outcome;
    if (end.reason !== 'handedOver') return this.finish({ ...end, reason: end.reason });
    return this.goOnWithPython(end, python);
  }

  private async goOnWithPython(reached: JobEnd, python: PythonReport | undefined): Promise<number> {
    const { run, identity, log } = this.input;
    if (python === undefined) throw new Error('internal: trainer: expected the Python that was planned with, got none');
    this.pytorch = new PytorchAttempt({
      run,
      interpreter: python.interpreter,
      identity,
      reached,
      log,
      onEvent: event => this.sendEvent(event),
    });
    // What was asked for while the plan was written, after anybody looked.
    if (this.asked !== undefined) this.pytorch.ask(this.asked);
    const outcome = await this.pytorch.run();
    if ('end' in outcome) return this.tellEnd(outcome.end);
    if (!outcome.isWritten) {
      this.status.adopt(readStatus(run));
      return this.fail(outcome.error, '');
    }
    this.input.sendLine({ type: 'error', ...outcome.error });
    return exitCodes.failed;
  }

  private handle(event: JobEvent): void {
    if (event.kind === 'note') {
      this.input.log(event.text);
      this.input.sendNote(event.text);
    }
    if (event.kind === 'warning') this.input.log(`${event.problem.message} ${event.problem.fix}`);
    this.status.apply(event);
    if (event.kind === 'prepared') this.input.onPrepared();
    if (event.kind === 'evaluation') {
      const { step, evalLossNats } = event.row;
      this.input.log(`step ${step}: held-out loss ${evalLossNats.toFixed(4)} nats`);
    }
    if (event.kind === 'checkpoint') {
      this.input.log(`step ${event.step}: checkpoint`);
      this.control.answerCheckpoints();
    }
    this.sendEvent(event);
  }

  private sendEvent(event: JobEvent): void {
    const line = toJsonLine(event);
    if (line !== undefined) this.input.sendLine(line);
  }

  private obey(type: 'pause' | 'stop' | 'checkpoint'): void {
    this.input.log(`trainer: asked to ${type}`);
    if (type === 'checkpoint') {
      this.writer.requestCheckpoint();
      return;
    }
    this.writer.ask(type);
    if (this.asked !== 'stop') this.asked = type;
    if (type === 'stop' || this.status.current.state !== 'stopping') {
      this.status.show({ state: type === 'pause' ? 'pausing' : 'stopping' });
    }
  }

  private finish(end: JobEnd & { readonly reason: keyof typeof endStates }): number {
    const state: WrittenState = endStates[end.reason];
    const { step, bestStep, bestEvalLossNats, reason } = end;
    const stoppedEarly = reason === 'stoppedEarly';
    this.input.log(`trainer: ${reason} at step ${step}`);
    this.status.set({
      state,
      step,
      bestStep,
      bestEvalLossNats,
      stoppedEarly,
      identity: null,
      phase: null,
      error: null,
    });
    this.control.closeAll({ ok: true });
    return this.tellEnd(end);
  }

  /** The exit code of an end that the status has. */
  private tellEnd(end: JobEnd): number {
    if (end.reason !== 'finished' && end.reason !== 'stoppedEarly') return exitCodes.interrupted;
    const line = toResultLine(this.input.run, end);
    if (line !== undefined) this.input.sendLine(line);
    return exitCodes.done;
  }

  private fail(error: WireError, detail: string): number {
    const { run, status, attached, log, sendLine } = this.input;
    log(`trainer: failed: ${error.code}: ${error.message}\n${detail}`);
    const isPrepared = existsSync(join(run, runNames.run));
    if (attached && !isPrepared && status.attempt === 1 && inputErrors.includes(error.code)) {
      rmSync(run, { recursive: true, force: true });
    } else {
      this.writeFailure(error);
      this.control.closeAll({ error });
    }
    sendLine({ type: 'error', ...error });
    return exitCodes.failed;
  }

  /** A disk that was full a moment ago may still be; the run is shown as interrupted then. */
  private writeFailure(error: WireError): void {
    try {
      this.status.set({ state: 'failed', identity: null, phase: null, error });
    } catch (problem) {
      this.input.log(`trainer: the failure could not be written: ${String(problem)}`);
    }
  }
}
