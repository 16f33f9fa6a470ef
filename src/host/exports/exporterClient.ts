/** @file The exporting process as the editor sees it. */
import type { ExportCalls, ExportEvents } from '../../shared/exportProtocol.ts';
import type { EventHandlers } from '../../shared/rpc.ts';
import { Emitter } from '../emitter.ts';
import type { RpcProcess } from '../processes/rpcProcess.ts';

type ExportProcess = Pick<RpcProcess<ExportCalls, ExportEvents>, 'call' | 'dispose'>;

export class ExporterClient {
  private readonly progress = new Emitter<ExportEvents['export/progress']>();
  readonly onDidProgress = this.progress.event;
  private readonly process: ExportProcess;

  constructor(open: (events: EventHandlers<ExportEvents>) => ExportProcess) {
    this.process = open({ 'export/progress': progress => this.progress.fire(progress) });
  }

  measure(source: ExportCalls['export/measure']['parameters']) {
    return this.process.call('export/measure', source);
  }

  run(order: ExportCalls['export/run']['parameters'], signal: AbortSignal) {
    return this.process.call('export/run', order, signal);
  }

  dispose(): void {
    this.process.dispose();
  }
}
