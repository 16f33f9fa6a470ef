/** The server process: an OpenAI-compatible endpoint on this machine. Ends with the parent that started it, and in order at a signal. */
import { fileURLToPath } from 'node:url';
import { RpcPeer } from '../../shared/rpc.ts';
import { type ServerCalls, type ServerEvents, serverDefaults } from '../../shared/serverProtocol.ts';
import { answerCalls } from './answerCalls.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const handlers = answerCalls(fileURLToPath(new URL('../media/tiny', import.meta.url)), (name, payload) =>
  peer.emit(name, payload),
);
const peer: RpcPeer<Record<string, never>, ServerCalls, ServerEvents, Record<string, never>> = new RpcPeer(
  {
    send: message => {
      if (process.connected) process.send?.(message);
    },
    onMessage: receive => void process.on('message', receive),
  },
  handlers,
  {},
);

/** What the parent is told of it gets through before the process ends. */
const goodbyeMs = 500;

const end = async (graceMs: number): Promise<void> => {
  await handlers['server/stop']({ graceMs }, new AbortController().signal);
  setTimeout(() => process.exit(0), process.connected ? goodbyeMs : 0);
};
// A terminal tells the whole group; the parent says the same over its channel, and one end is enough.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(serverDefaults.graceMs));
process.on('disconnect', () => void end(0));
