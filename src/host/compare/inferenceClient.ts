/** @file The inference process as the compare panels see it: calls, and the text of each generation as it streams. */
import type { InferenceCalls, InferenceEvents } from '../../shared/inferenceProtocol.ts';
import { Emitter } from '../emitter.ts';
import type { RpcProcess, RpcProcessOptions } from '../processes/rpcProcess.ts';

export type InferenceCaller = <K extends keyof InferenceCalls & string>(
  name: K,
  parameters: InferenceCalls[K]['parameters'],
  signal?: AbortSignal,
) => Promise<InferenceCalls[K]['result']>;

export type InferenceEvent = {
  [K in keyof InferenceEvents]: { name: K } & InferenceEvents[K];
}[keyof InferenceEvents];

export class InferenceClient {
  private readonly process: RpcProcess<InferenceCalls, InferenceEvents>;
  private readonly emitter = new Emitter<InferenceEvent>();
  readonly onDidReceive = this.emitter.event;

  constructor(
    open: (
      events: RpcProcessOptions<InferenceCalls, InferenceEvents>['events'],
    ) => RpcProcess<InferenceCalls, InferenceEvents>,
  ) {
    this.process = open({
      'generation/text': event => this.emitter.fire({ name: 'generation/text', ...event }),
      'prompt/progress': event => this.emitter.fire({ name: 'prompt/progress', ...event }),
      'model/progress': event => this.emitter.fire({ name: 'model/progress', ...event }),
    });
  }

  readonly call: InferenceCaller = (name, parameters, signal) => this.process.call(name, parameters, signal);

  /** The next call starts a new process. */
  end(): void {
    this.process.end();
  }

  dispose(): void {
    this.process.dispose();
  }
}
