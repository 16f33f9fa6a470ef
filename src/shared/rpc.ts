/** @file Typed calls over any pipe: one class for both ends, type parameters swapped. */
import { fromWireError, TuneError, toWireError, type WireError } from './errors.ts';

/** Calls one end answers: name -> [parameters, result]. */
export type Calls = Record<string, { parameters: unknown; result: unknown }>;
/** Messages one end sends without an answer: name -> payload. */
export type Events = Record<string, unknown>;

export interface Pipe {
  send(message: unknown): void;
  /** Registers the one receiver. */
  onMessage(receive: (message: unknown) => void): void;
}

type Packet =
  | { type: 'call'; id: number; name: string; parameters: unknown }
  | { type: 'result'; id: number; result: unknown }
  | { type: 'failure'; id: number; error: WireError }
  | { type: 'cancel'; id: number }
  | { type: 'event'; name: string; payload: unknown };

export type Handlers<Answered extends Calls> = {
  [K in keyof Answered]: (parameters: Answered[K]['parameters'], signal: AbortSignal) => Promise<Answered[K]['result']>;
};
export type EventHandlers<Received extends Events> = { [K in keyof Received]: (payload: Received[K]) => void };

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** One end: calls `Called`, answers `Answered`, sends `Sent` events, receives `Received` events. */
export class RpcPeer<Called extends Calls, Answered extends Calls, Sent extends Events, Received extends Events> {
  private nextId = 1;
  private closedBy: TuneError | undefined;
  private readonly pending = new Map<number, Pending>();
  private readonly running = new Map<number, AbortController>();

  constructor(
    private readonly pipe: Pipe,
    private readonly handlers: Handlers<Answered>,
    private readonly eventHandlers: EventHandlers<Received>,
  ) {
    pipe.onMessage(message => this.receive(message as Packet));
  }

  /** @throws TuneError as the other end threw it, or `process-ended` when the pipe closed. */
  call<K extends keyof Called & string>(
    name: K,
    parameters: Called[K]['parameters'],
    signal?: AbortSignal,
  ): Promise<Called[K]['result']> {
    if (this.closedBy !== undefined) return Promise.reject(this.closedBy);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const cancel = () => this.pipe.send({ type: 'cancel', id } satisfies Packet);
      const settle = (act: () => void) => {
        this.pending.delete(id);
        signal?.removeEventListener('abort', cancel);
        act();
      };
      this.pending.set(id, {
        resolve: result => settle(() => resolve(result as Called[K]['result'])),
        reject: error => settle(() => reject(error)),
      });
      this.pipe.send({ type: 'call', id, name, parameters } satisfies Packet);
      if (signal?.aborted === true) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  emit<K extends keyof Sent & string>(name: K, payload: Sent[K]): void {
    if (this.closedBy === undefined) this.pipe.send({ type: 'event', name, payload } satisfies Packet);
  }

  /** Ends every open call on both sides; to be called when the pipe is gone. */
  close(reason: TuneError): void {
    this.closedBy = reason;
    for (const waiting of [...this.pending.values()]) waiting.reject(reason);
    for (const controller of this.running.values()) controller.abort();
  }

  private receive(packet: Packet): void {
    switch (packet.type) {
      case 'call':
        void this.answer(packet.id, packet.name, packet.parameters);
        break;
      case 'result':
        this.pending.get(packet.id)?.resolve(packet.result);
        break;
      case 'failure':
        this.pending.get(packet.id)?.reject(fromWireError(packet.error));
        break;
      case 'cancel':
        this.running.get(packet.id)?.abort();
        break;
      case 'event':
        this.eventHandlers[packet.name]?.(packet.payload as Received[string]);
        break;
    }
  }

  private async answer(id: number, name: string, parameters: unknown): Promise<void> {
    const controller = new AbortController();
    this.running.set(id, controller);
    let answer: Packet;
    try {
      const handler = Object.hasOwn(this.handlers, name) ? this.handlers[name] : undefined;
      if (handler === undefined) throw new TuneError('internal', `internal: no handler for "${name}"`);
      answer = { type: 'result', id, result: await handler(parameters, controller.signal) };
    } catch (error) {
      answer = { type: 'failure', id, error: toWireError(error) };
    }
    this.running.delete(id);
    if (this.closedBy === undefined) this.pipe.send(answer);
  }
}
