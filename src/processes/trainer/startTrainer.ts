/** @file Starts another trainer, detached from this one: how the queue moves on when a run ends. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DeviceQueue } from '../../core/runs/deviceQueue.ts';
import type { ProcessIdentity } from '../../shared/runFolder.ts';
import type { TrainerCommand, TrainerReply } from '../../shared/trainerProtocol.ts';

const answerTimeoutMs = 15_000;

/** Starts queued runs until one is accepted or none is left. */
export async function startNextRuns(
  queue: DeviceQueue,
  first: string | undefined,
  own: { run: string; identity: ProcessIdentity },
  log: (text: string) => void,
): Promise<void> {
  for (let run = first; run !== undefined; ) {
    const reply = await startTrainer({ type: 'resume', run, attached: false });
    log(`queue: started ${run}: ${reply === undefined ? 'no answer' : reply.type}`);
    if (reply?.type === 'accepted') return;
    await queue.withdraw(run);
    run = await queue.leave(own.run, own.identity);
  }
}

/** The trainer's program, beside the bundle that this is part of. */
export const trainerProgram = (): string => fileURLToPath(new URL('./trainer.js', import.meta.url));

/** The first answer of a new detached trainer; undefined when it gives none. */
function startTrainer(command: TrainerCommand): Promise<TrainerReply | undefined> {
  const child = spawn(process.execPath, [...process.execArgv, trainerProgram()], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    windowsHide: true,
  });
  return new Promise(resolve => {
    const timer = setTimeout(() => {
      // One that took the device later, when another has it, would make two.
      child.kill('SIGKILL');
      settle(undefined);
    }, answerTimeoutMs);
    const settle = (reply: TrainerReply | undefined) => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.on('error', () => undefined);
      if (child.connected) child.disconnect();
      child.unref();
      resolve(reply);
    };
    child.once('message', message => settle(message as TrainerReply));
    child.once('error', () => settle(undefined));
    child.once('exit', () => settle(undefined));
    child.send(command, error => {
      if (error !== null) settle(undefined);
    });
  });
}
