import { describe, expect, it } from 'vitest';
import { TuneError } from '../../../src/shared/errors.ts';
import { type Handlers, type Pipe, RpcPeer } from '../../../src/shared/rpc.ts';

type ServerCalls = { double: { parameters: number; result: number }; wait: { parameters: null; result: string } };
type None = Record<never, never>;

/** Two pipes, each the other's end; messages arrive later, as over a process border. */
function connectPipes(): [Pipe, Pipe] {
  const receivers: ((message: unknown) => void)[] = [];
  const end = (own: number, other: number): Pipe => ({
    send: message => queueMicrotask(() => receivers[other]!(structuredClone(message))),
    onMessage: receive => {
      receivers[own] = receive;
    },
  });
  return [end(0, 1), end(1, 0)];
}

function connect(handlers: Handlers<ServerCalls>, events: { told?: (payload: string) => void } = {}) {
  const [near, far] = connectPipes();
  const server = new RpcPeer<None, ServerCalls, { told: string }, None>(far, handlers, {});
  const client = new RpcPeer<ServerCalls, None, None, { told: string }>(
    near,
    {},
    { told: events.told ?? (() => undefined) },
  );
  return { server, client };
}

const untilAborted = (signal: AbortSignal): Promise<string> =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve('aborted')));
const handlers: Handlers<ServerCalls> = { double: async n => 2 * n, wait: (_, signal) => untilAborted(signal) };

describe('RpcPeer', () => {
  it('answers calls, several at a time', async () => {
    const { client } = connect(handlers);
    expect(await Promise.all([1, 2, 3].map(n => client.call('double', n)))).toEqual([2, 4, 6]);
  });

  it('carries a TuneError whole and calls anything else internal', async () => {
    const error = new TuneError('dataset-invalid', 'a.jsonl: broken', { file: 'a.jsonl', line: 3, hint: 'Mend it.' });
    const failing: Handlers<ServerCalls> = {
      double: () => Promise.reject(error),
      wait: () => Promise.reject(new Error('oops')),
    };
    const { client } = connect(failing);
    await expect(client.call('double', 1)).rejects.toMatchObject({
      code: 'dataset-invalid',
      line: 3,
      hint: 'Mend it.',
    });
    await expect(client.call('wait', null)).rejects.toMatchObject({ code: 'internal', message: 'internal: oops' });
  });

  it('tells the other end of a cancelled call, also of one cancelled before', async () => {
    const { client } = connect(handlers);
    const controller = new AbortController();
    const waiting = client.call('wait', null, controller.signal);
    controller.abort();
    expect(await waiting).toBe('aborted');
    expect(await client.call('wait', null, AbortSignal.abort())).toBe('aborted');
  });

  it('fails every open and later call when the pipe closes, and cancels what it answers', async () => {
    const { client, server } = connect(handlers);
    const gone = new TuneError('process-ended', 'helper: expected an answer, got the end of the process');
    const open = client.call('wait', null);
    client.close(gone);
    server.close(gone);
    await expect(open).rejects.toBe(gone);
    await expect(client.call('double', 1)).rejects.toBe(gone);
  });

  it('refuses names that are not handlers, inherited ones too', async () => {
    const { client } = connect(handlers);
    await expect(client.call('toString' as 'double', 1)).rejects.toMatchObject({ code: 'internal' });
  });

  it('delivers events in order', async () => {
    const told: string[] = [];
    const { client, server } = connect(handlers, { told: text => told.push(text) });
    server.emit('told', 'a');
    server.emit('told', 'b');
    await client.call('double', 1);
    expect(told).toEqual(['a', 'b']);
  });
});
