/** @file A helper process that starts with the first call, ends when nobody needs it, and is restarted after a crash. */
import { type ChildProcess, spawn } from 'node:child_process';
import { TuneError } from '../../shared/errors.ts';
import { type Calls, type EventHandlers, type Events, type Handlers, RpcPeer } from '../../shared/rpc.ts';
import type { ChildCommand } from './childPrograms.ts';
import { CrashPolicy } from './crashPolicy.ts';

/** What a process that asks nothing asks. */
type NoCalls = Record<string, never>;

export interface RpcProcessOptions<Called extends Calls, Received extends Events, Answered extends Calls = NoCalls> {
  name: string;
  idleMs: number;
  prepare(): Promise<ChildCommand>;
  /** Made with each new process, before any other call. */
  greet(call: RpcPeer<Called, Answered, NoCalls, Received>): Promise<unknown>;
  events: EventHandlers<Received>;
  /** What the process asks, for those that do. */
  answers: Handlers<Answered>;
  log(line: string): void;
  /** Said when the process has crashed too often to be started again. */
  onGivenUp(error: TuneError): void;
}

interface Live<Called extends Calls, Received extends Events, Answered extends Calls> {
  child: ChildProcess;
  peer: RpcPeer<Called, Answered, NoCalls, Received>;
}

export class RpcProcess<Called extends Calls, Received extends Events, Answered extends Calls = NoCalls> {
  private readonly crashes = new CrashPolicy();
  private starting: Promise<Live<Called, Received, Answered>> | undefined;
  private live: Live<Called, Received, Answered> | undefined;
  private openCalls = 0;
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: RpcProcessOptions<Called, Received, Answered>) {}

  /** @throws TuneError as the process threw it, or `process-ended` */
  async call<K extends keyof Called & string>(
    name: K,
    parameters: Called[K]['parameters'],
    signal?: AbortSignal,
  ): Promise<Called[K]['result']> {
    clearTimeout(this.idleTimer);
    this.openCalls++;
    try {
      const { peer } = await this.ensureLive();
      return await peer.call(name, parameters, signal);
    } finally {
      this.openCalls--;
      if (this.openCalls === 0) this.startIdleTimer();
    }
  }

  /** Lets a process that was given up start again. */
  reset(): void {
    this.crashes.reset();
  }

  /** Ends the process; the next call starts a new one. */
  end(): void {
    clearTimeout(this.idleTimer);
    const { live } = this;
    this.live = undefined;
    this.starting = undefined;
    if (live === undefined) return;
    live.child.removeAllListeners('exit');
    live.peer.close(new TuneError('process-ended', `${this.options.name}: ended`));
    live.child.kill();
  }

  dispose(): void {
    this.end();
  }

  private ensureLive(): Promise<Live<Called, Received, Answered>> {
    if (!this.crashes.mayStart(Date.now())) return Promise.reject(this.givenUp());
    if (this.starting === undefined) {
      const starting = this.start();
      this.starting = starting;
      starting.catch(() => {
        if (this.starting === starting) this.starting = undefined;
      });
    }
    return this.starting;
  }

  private async start(): Promise<Live<Called, Received, Answered>> {
    const { name, log } = this.options;
    const command = await this.options.prepare();
    const child = spawn(command.file, command.arguments, {
      ...command.options,
      env: command.options.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => log(`${name}: ${text.trimEnd()}`));
    }
    const peer = new RpcPeer<Called, Answered, NoCalls, Received>(
      {
        send: message => {
          // A failed send shows as the process's end, which closes every open call.
          if (child.connected)
            child.send(message as object, error => error !== null && log(`${name}: ${error.message}`));
        },
        onMessage: receive => void child.on('message', receive),
      },
      this.options.answers,
      this.options.events,
    );
    const live = { child, peer };
    this.live = live;
    child.on('error', error => this.noteEnd(live, error.message));
    child.on('exit', (code, signal) => this.noteEnd(live, signal ?? `exit code ${code}`));
    await this.options.greet(peer);
    return live;
  }

  private noteEnd(live: Live<Called, Received, Answered>, how: string): void {
    const { name, log, onGivenUp } = this.options;
    if (this.live !== live) return;
    this.live = undefined;
    this.starting = undefined;
    log(`${name}: ended (${how})`);
    live.peer.close(
      new TuneError('process-ended', `${name}: expected an answer, got the end of its process (${how})`, {
        hint: 'Try again; the Tuning Fork output says more.',
      }),
    );
    if (!this.crashes.noteCrash(Date.now())) onGivenUp(this.givenUp());
  }

  private givenUp(): TuneError {
    return new TuneError(
      'process-ended',
      `${this.options.name}: expected a process that runs, got 5 crashes in 3 minutes`,
      {
        hint: 'See the Tuning Fork output, then try again.',
      },
    );
  }

  private startIdleTimer(): void {
    this.idleTimer = setTimeout(() => this.end(), this.options.idleMs);
    this.idleTimer.unref();
  }
}
