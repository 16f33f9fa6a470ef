/** @file One message to a process that outlives the editor -> its first answer. */
import { spawn } from 'node:child_process';
import { parse } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import type { ChildCommand } from './childPrograms.ts';

/**
 * The process leads a group of its own, shares no streams, and is let go with its first answer. The message goes through the
 * channel alone, because it may hold keys. A process that says nothing in time is ended, it alone: what it started lives on.
 * @throws TuneError `process-ended`
 */
export function askChild<Reply>(command: ChildCommand, message: object, timeoutMs: number): Promise<Reply> {
  const child = spawn(command.file, command.arguments, {
    ...command.options,
    env: command.options.env,
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    const finish = (act: () => void) => {
      clearTimeout(timer);
      child.removeAllListeners();
      // A late error of a process that is no longer ours to follow must not end the editor's process.
      child.on('error', () => undefined);
      if (child.connected) child.disconnect();
      child.unref();
      act();
    };
    const fail = (got: string, cause?: unknown) =>
      finish(() => {
        const { name } = parse(command.arguments.at(-1) ?? command.file);
        reject(
          new TuneError('process-ended', `${name}: expected an answer, got ${got}`, {
            hint: 'See the Tuning Fork output for the exact command; the setting tuningFork.nodePath picks another Node.',
            cause,
          }),
        );
      });
    const timer = setTimeout(() => {
      if (child.pid !== undefined) child.kill('SIGKILL');
      fail(`none within ${timeoutMs / 1000} s`);
    }, timeoutMs);
    child.once('message', reply => finish(() => resolve(reply as Reply)));
    child.once('error', error => fail(error.message, error));
    child.once('exit', (code, signal) => fail(`an early end (${signal ?? `exit code ${code}`})`));
    child.send(message, error => {
      if (error !== null) fail(error.message, error);
    });
  });
}
