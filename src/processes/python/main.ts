/** The Python process: answers the editor over its channel and ends with it, and whatever it started as well. */
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { PythonCalls, PythonEvents } from '../../shared/pythonProtocol.ts';
import { RpcPeer } from '../../shared/rpc.ts';
import { pythonFolder } from '../../shared/userCache.ts';
import { answerCalls } from './answerCalls.ts';

const { env, platform } = process;
const parent = new AbortController();
const peer = new RpcPeer<Record<string, never>, PythonCalls, PythonEvents, Record<string, never>>(
  {
    send: message => void process.send?.(message),
    onMessage: receive => void process.on('message', receive),
  },
  answerCalls({
    place: {
      root: pythonFolder({ platform, home: homedir(), env }),
      requirementsFolder: fileURLToPath(new URL('./pytorch/requirements', import.meta.url)),
      env,
    },
    shipped: {
      engineFolder: fileURLToPath(new URL('./pytorch', import.meta.url)),
      tinyFolder: fileURLToPath(new URL('../media/tiny', import.meta.url)),
    },
    parentGone: parent.signal,
    onProgress: progress => peer.emit('python/progress', progress),
  }),
  {},
);
process.on('disconnect', () => {
  parent.abort();
  // Programs that were started are ended before this process is.
  setImmediate(() => process.exit(0));
});
process.on('SIGTERM', () => {
  parent.abort();
  setImmediate(() => process.exit(0));
});
