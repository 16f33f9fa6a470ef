/** Starts the tracker process, which outlives this one, and hands it its command. */
import { spawn } from 'node:child_process';
import { fromWireError, TuneError } from '../shared/errors.ts';
import type { TrackerCommand, TrackerReply } from '../shared/trackers.ts';
import { findProgram } from './places.ts';

type Reply = Exclude<TrackerReply, { type: 'refused' }>;

/** @throws TuneError as the process refused, or `process-ended` */
export function startTrackerProcess(command: TrackerCommand): Promise<Reply> {
  const { NODE_OPTIONS: _options, NODE_PATH: _path, ...env } = process.env;
  const child = spawn(process.execPath, [findProgram('tracker')], {
    detached: command.type === 'report',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env,
    windowsHide: true,
  });
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      child.removeAllListeners();
      if (child.connected) child.disconnect();
      child.unref();
      act();
    };
    const fail = (got: string) =>
      settle(() => reject(new TuneError('process-ended', `tracker: expected an answer, got ${got}`)));
    child.once('message', message => {
      const reply = message as TrackerReply;
      settle(() => (reply.type === 'refused' ? reject(fromWireError(reply.error)) : resolve(reply)));
    });
    child.once('error', error => fail(error.message));
    child.once('exit', (code, signal) => fail(`its end (${signal ?? code})`));
    child.send(command);
  });
}
