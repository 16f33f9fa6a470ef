/** @file The server process of this window: started for one base model and its adapters, stopped in order, its end noticed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { TuneError } from '../../shared/errors.ts';
import { RpcPeer } from '../../shared/rpc.ts';
import {
  type ServedRequest,
  type ServerAddress,
  type ServerCalls,
  type ServerEvents,
  type ServerOrder,
  serverDefaults,
} from '../../shared/serverProtocol.ts';
import { Emitter } from '../emitter.ts';
import type { ChildCommand } from '../processes/childPrograms.ts';

export interface ModelServerOptions {
  prepare(): Promise<ChildCommand>;
  log(line: string): void;
  /** It ended without being told to. */
  onLost(error: TuneError): void;
}

export type ModelServerState =
  | { readonly kind: 'off' }
  | { readonly kind: 'starting'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly kind: 'on'; readonly address: ServerAddress; readonly key: string }
  | { readonly kind: 'stopping' };

type Peer = RpcPeer<ServerCalls, Record<string, never>, Record<string, never>, ServerEvents>;

export class ModelServer {
  private current: ModelServerState = { kind: 'off' };
  private live: { readonly child: ChildProcess; readonly peer: Peer } | undefined;
  private readonly emitter = new Emitter<void>();
  readonly onDidChange = this.emitter.event;

  constructor(private readonly options: ModelServerOptions) {}

  get state(): ModelServerState {
    return this.current;
  }

  /** @throws TuneError as models and adapters are opened, `usage` when it runs already or the port is taken */
  async start(order: ServerOrder, signal?: AbortSignal): Promise<ServerAddress> {
    if (this.current.kind !== 'off') throw new TuneError('usage', 'server: expected none that runs, got one');
    this.change({ kind: 'starting', phase: '', done: 0, total: 1 });
    try {
      const peer = this.open(await this.options.prepare());
      const cancel = () => this.end();
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        signal?.throwIfAborted();
        const address = await peer.call('server/start', order);
        this.change({ kind: 'on', address, key: order.key });
        return address;
      } finally {
        signal?.removeEventListener('abort', cancel);
      }
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Answers under way get some seconds to finish. */
  async stop(): Promise<void> {
    const { live } = this;
    if (live === undefined || this.current.kind === 'stopping') return;
    this.change({ kind: 'stopping' });
    try {
      await live.peer.call('server/stop', { graceMs: serverDefaults.graceMs });
    } finally {
      this.end();
    }
  }

  /** At once. */
  dispose(): void {
    this.end();
  }

  private open(command: ChildCommand): Peer {
    const { log } = this.options;
    const child = spawn(command.file, command.arguments, {
      ...command.options,
      env: command.options.env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => log(`server: ${text.trimEnd()}`));
    const peer: Peer = new RpcPeer(
      {
        send: message => {
          if (child.connected)
            child.send(message as object, error => error !== null && log(`server: ${error.message}`));
        },
        onMessage: receive => void child.on('message', receive),
      },
      {},
      {
        'server/progress': progress => {
          if (this.current.kind === 'starting') this.change({ kind: 'starting', ...progress });
        },
        'server/request': request => log(`server: ${describeRequest(request)}`),
      },
    );
    const live = { child, peer };
    this.live = live;
    child.on('error', error => this.noteEnd(live, error.message));
    child.on('exit', (code, signal) => this.noteEnd(live, signal ?? `exit code ${code}`));
    return peer;
  }

  private noteEnd(live: NonNullable<typeof this.live>, how: string): void {
    if (this.live !== live) return;
    const wasOn = this.current.kind === 'on';
    const error = new TuneError('process-ended', `server: expected to run, got the end of its process (${how})`, {
      hint: 'Start it again; the Tuning Fork output says more.',
    });
    this.live = undefined;
    live.peer.close(error);
    this.change({ kind: 'off' });
    if (wasOn) this.options.onLost(error);
  }

  private end(): void {
    const { live } = this;
    this.live = undefined;
    live?.peer.close(new TuneError('process-ended', 'server: ended'));
    live?.child.kill('SIGKILL');
    if (this.current.kind !== 'off') this.change({ kind: 'off' });
  }

  private change(state: ModelServerState): void {
    this.current = state;
    this.emitter.fire();
  }
}

function describeRequest({ method, path, status, model, elapsedMs, isCut }: ServedRequest): string {
  return `${method} ${path} ${status} ${model ?? ''} ${elapsedMs} ms${isCut ? ', client left' : ''}`;
}
