/** @file A trainer command -> a detached trainer that has accepted it. */
import { spawn } from 'node:child_process';
import { fromWireError, TuneError } from '../../shared/errors.ts';
import type { TrainerCommand, TrainerReply } from '../../shared/trainerProtocol.ts';
import type { ChildCommand } from './childPrograms.ts';

export type AcceptedRun = Extract<TrainerReply, { type: 'accepted' }>;

/**
 * Starts a trainer that outlives the editor: its own process group, no shared streams, and a channel that is closed as
 * soon as the one command is accepted. The command goes through the channel alone, because it may hold the Hub token.
 * @throws TuneError as the trainer refused it, or `process-ended`
 */
export function spawnTrainer(command: ChildCommand, order: TrainerCommand, timeoutMs = 60_000): Promise<AcceptedRun> {
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
    const fail = (what: string, cause?: unknown) =>
      finish(() =>
        reject(
          new TuneError('process-ended', `trainer: expected an answer, got ${what}`, {
            hint: 'See the Tuning Fork output for the exact command; the setting tuningFork.nodePath picks another Node.',
            cause,
          }),
        ),
      );
    const timer = setTimeout(() => {
      if (child.pid !== undefined) child.kill('SIGKILL');
      fail(`none within ${timeoutMs / 1000} s`);
    }, timeoutMs);
    child.on('error', error => fail(error.message, error));
    child.on('exit', (code, signal) => fail(`an early end (${signal ?? `exit code ${code}`})`));
    child.on('message', message => {
      const reply = message as TrainerReply;
      if (reply.type === 'accepted') finish(() => resolve(reply));
      else if (reply.type === 'refused') finish(() => reject(fromWireError(reply.error)));
    });
    child.send(order, error => {
      if (error !== null) fail(error.message, error);
    });
  });
}
