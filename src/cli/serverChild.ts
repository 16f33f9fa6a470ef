/** The server process as a child of this one: its calls, and its end when this one ends. */
import { fork } from 'node:child_process';
import { TuneError } from '../shared/errors.ts';
import { RpcPeer } from '../shared/rpc.ts';
import type { ServerCalls, ServerEvents } from '../shared/serverProtocol.ts';
import { findProgram } from './places.ts';

export interface ServerChild {
  readonly call: RpcPeer<ServerCalls, Record<string, never>, Record<string, never>, ServerEvents>['call'];
  /** How it ended. */
  readonly ended: Promise<string>;
  /** At once, without a word to anybody. */
  kill(): void;
}

export function startServerChild(
  events: { [K in keyof ServerEvents]: (payload: ServerEvents[K]) => void },
): ServerChild {
  const { NODE_OPTIONS: _options, NODE_PATH: _path, ...env } = process.env;
  // Its words go to standard error: standard output is for what this command says.
  const child = fork(findProgram('server'), [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env, execArgv: [] });
  const peer = new RpcPeer<ServerCalls, Record<string, never>, Record<string, never>, ServerEvents>(
    {
      send: message => {
        if (child.connected) child.send(message as object);
      },
      onMessage: receive => void child.on('message', receive),
    },
    {},
    events,
  );
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  void ended.then(how =>
    peer.close(new TuneError('process-ended', `server: expected an answer, got its end (${how})`)),
  );
  return {
    call: (name, parameters, signal) => peer.call(name, parameters, signal),
    ended,
    kill: () => child.kill('SIGKILL'),
  };
}
