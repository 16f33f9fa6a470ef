import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RpcProcess } from '../../../../src/host/processes/rpcProcess.ts';
import type { TuneError } from '../../../../src/shared/errors.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

type EchoCalls = {
  greet: { parameters: null; result: null };
  echo: { parameters: string; result: string };
  crash: { parameters: null; result: null };
  pid: { parameters: null; result: number };
};
type EchoEvents = { note: string };

/** Speaks the wire of RpcPeer, so that a change of it shows here too. */
const program = `
const answer = (id, result) => process.send({ type: 'result', id, result });
process.on('message', packet => {
  if (packet.type !== 'call') return;
  if (packet.name === 'crash') process.exit(3);
  if (packet.name === 'pid') return answer(packet.id, process.pid);
  if (packet.name === 'greet') process.greeted = true;
  if (packet.name === 'echo') process.send({ type: 'event', name: 'note', payload: 'heard ' + packet.parameters });
  answer(packet.id, packet.name === 'echo' ? (process.greeted ? 'hello ' : '') + packet.parameters : null);
});
process.on('disconnect', () => process.exit());
`;

describe('RpcProcess', () => {
  const folder = useTemporaryFolder();
  const opened: { dispose(): void }[] = [];
  afterEach(() => {
    for (const one of opened.splice(0)) one.dispose();
  });

  function open({ idleMs = 60_000, file = process.execPath } = {}) {
    const script = join(folder(), 'echo.cjs');
    writeFileSync(script, program);
    const notes: string[] = [];
    const givenUp: TuneError[] = [];
    const echo = new RpcProcess<EchoCalls, EchoEvents>({
      answers: {},
      name: 'echo',
      idleMs,
      prepare: async () => ({
        file,
        arguments: [script],
        options: { cwd: folder(), env: process.env, windowsHide: true },
      }),
      greet: peer => peer.call('greet', null),
      events: { note: text => void notes.push(text) },
      log: () => undefined,
      onGivenUp: error => void givenUp.push(error),
    });
    opened.push(echo);
    return { echo, notes, givenUp };
  }

  it('starts with the first call, greets once and passes events on', async () => {
    const { echo, notes } = open();
    expect(await Promise.all([echo.call('echo', 'a'), echo.call('echo', 'b')])).toEqual(['hello a', 'hello b']);
    expect(notes).toEqual(['heard a', 'heard b']);
  });

  it('rejects the calls of a process that crashed and starts again with the next', async () => {
    const { echo } = open();
    const first = await echo.call('pid', null);
    await expect(echo.call('crash', null)).rejects.toMatchObject({ code: 'process-ended' });
    expect(await echo.call('pid', null)).not.toBe(first);
  });

  it('gives up at the fifth crash until it is reset', async () => {
    const { echo, givenUp } = open();
    for (let i = 0; i < 5; i++) await expect(echo.call('crash', null)).rejects.toThrow();
    expect(givenUp).toHaveLength(1);
    await expect(echo.call('echo', 'a')).rejects.toThrow(/5 crashes in 3 minutes/);
    echo.reset();
    expect(await echo.call('echo', 'a')).toBe('hello a');
  });

  it('rejects when the program cannot be started', async () => {
    const { echo } = open({ file: join(folder(), 'missing') });
    await expect(echo.call('echo', 'a')).rejects.toMatchObject({ code: 'process-ended' });
  });

  it('ends when nobody has called for a while, without counting a crash', async () => {
    const { echo } = open({ idleMs: 1 });
    const first = await echo.call('pid', null);
    let next = first;
    for (let i = 0; i < 50 && next === first; i++) {
      await new Promise(resolve => setTimeout(resolve, 10));
      next = await echo.call('pid', null);
    }
    expect(next).not.toBe(first);
  });
});
