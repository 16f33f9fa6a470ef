/** @file The Python process as the editor sees it: its last answer is kept, and told to whoever asks which engine runs. */

import type { JobOrder } from '../../shared/jobProtocol.ts';
import type { PythonSummary } from '../../shared/pages.ts';
import type {
  InstallProgress,
  MachineWish,
  PythonCalls,
  PythonChoices,
  PythonEvents,
  PythonStatus,
} from '../../shared/pythonProtocol.ts';
import type { PythonReport } from '../../shared/pythonReport.ts';
import type { EventHandlers } from '../../shared/rpc.ts';
import { Emitter } from '../emitter.ts';
import type { RpcProcess } from '../processes/rpcProcess.ts';
import { summarizePython } from './summarizePython.ts';

type PythonProcess = Pick<RpcProcess<PythonCalls, PythonEvents>, 'call' | 'end' | 'dispose'>;

export class PythonClient {
  private readonly emitter = new Emitter<void>();
  private report: PythonReport | null = null;
  private told = false;
  private wish: MachineWish | undefined;
  private asking: Promise<PythonStatus> | undefined;
  /** The report became another one. */
  readonly onDidChange = this.emitter.event;

  private readonly process: PythonProcess;
  private readonly progress = new Emitter<InstallProgress>();
  readonly onDidProgress = this.progress.event;

  constructor(
    open: (events: EventHandlers<PythonEvents>) => PythonProcess,
    private readonly readChoices: () => PythonChoices,
  ) {
    this.process = open({ 'python/progress': progress => this.progress.fire(progress) });
  }

  /** For the form; null until it was looked for. */
  get summary(): PythonSummary | null {
    return this.wish === undefined ? null : summarizePython(this.report, this.wish);
  }

  /** @param fresh asks PyTorch itself again, which takes seconds */
  async readStatus(fresh = false): Promise<PythonStatus> {
    this.asking ??= this.process.call('python/status', { fresh }).finally(() => {
      this.asking = undefined;
    });
    const status = await this.asking;
    this.wish ??= await this.process.call('python/wish', null);
    this.keep(status.report);
    return status;
  }

  plan() {
    return this.process.call('python/plan', this.readChoices());
  }

  async install(signal: AbortSignal): Promise<PythonReport> {
    const report = await this.process.call('python/install', this.readChoices(), signal);
    this.keep(report);
    return report;
  }

  exportJob(order: JobOrder, signal: AbortSignal): Promise<string[]> {
    return this.process.call('job/export', order, signal);
  }

  async remove(): Promise<string[]> {
    const removed = await this.process.call('python/remove', null);
    this.keep(null);
    return removed;
  }

  /** The setting names another interpreter: the process that knows the old one ends. */
  restart(): void {
    this.process.end();
  }

  dispose(): void {
    this.process.dispose();
  }

  private keep(report: PythonReport | null): void {
    const before = JSON.stringify([this.report, this.told]);
    this.report = report;
    this.told = true;
    if (JSON.stringify([report, true]) !== before) this.emitter.fire();
  }
}
