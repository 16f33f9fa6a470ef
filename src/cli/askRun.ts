/** Asks a run's trainer for something and waits for its answer, or says why nobody can answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readControlAnswer, requestControl } from '../core/runs/controlFolder.ts';
import { DeviceQueue } from '../core/runs/deviceQueue.ts';
import { judgeProcess } from '../core/runs/processRegistry.ts';
import { readStatus, writeStatus } from '../core/runs/runFiles.ts';
import { findRun } from '../core/runs/runStore.ts';
import { viewRun } from '../core/runs/runView.ts';
import { exitCodes } from '../shared/commandLine.ts';
import { fromWireError, TuneError } from '../shared/errors.ts';
import { isActive, isResumable } from '../shared/runState.ts';
import type { CommandArguments } from './command.ts';
import type { Output } from './output.ts';
import { storeFolder } from './runOptions.ts';

const pollMs = 100;
/** From here on a person is told that it takes long. */
const patienceMs = 10_000;

export async function askRun(what: 'pause' | 'stop', args: CommandArguments, output: Output): Promise<number> {
  const run = findRun(args.positional(0, 'run'), storeFolder(args));
  const { state, status, process: owner } = viewRun(run);
  if (state === 'queued') {
    await leaveQueue(run, output);
    return exitCodes.done;
  }
  if (!isActive(state)) {
    const isForeign = owner === 'stranger';
    const who = isForeign ? `, and process ${status.identity?.pid} of its status is none of ours` : '';
    throw new TuneError(
      isForeign ? 'run-identity' : 'run-invalid',
      `${run}: expected a running run, got ${state}${who}`,
      {
        file: run,
        hint: isResumable(state) ? 'Go on with it: tuning-fork resume <run>' : 'There is nothing left to end.',
      },
    );
  }
  if (args.has('force')) return endNow(run, output);
  const id = requestControl(run, what);
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const answer = readControlAnswer(run, id);
    if (answer !== undefined) {
      if ('error' in answer) throw fromWireError(answer.error);
      return tellState(run, output);
    }
    const { process: worker } = viewRun(run);
    if (worker !== 'alive' && worker !== 'elsewhere') {
      throw new TuneError('process-ended', `${run}: expected an answer of its trainer, got the end of that process`, {
        file: run,
        hint: 'Its last checkpoint stands: tuning-fork resume <run>',
      });
    }
    if (waitedMs === patienceMs)
      output.say('Waiting for the running step. `tuning-fork stop --force` ends it at once.');
    await sleep(pollMs);
  }
}

/** Only a process that this user's registry confirms is ever signalled. */
async function endNow(run: string, output: Output): Promise<number> {
  const { identity } = readStatus(run);
  if (identity === null || judgeProcess(identity, run) !== 'alive') {
    throw new TuneError('run-identity', `${run}: expected a process of this user's registry, got none`, { file: run });
  }
  process.kill(identity.pid, 'SIGKILL');
  while (judgeProcess(identity, run) === 'alive') await sleep(pollMs);
  return tellState(run, output);
}

async function leaveQueue(run: string, output: Output): Promise<void> {
  if (await new DeviceQueue('cpu').withdraw(run)) {
    writeStatus(run, { ...readStatus(run), state: 'stopped' }, true);
    tellState(run, output);
    return;
  }
  const id = requestControl(run, 'stop');
  while (readControlAnswer(run, id) === undefined && viewRun(run).process === 'alive') await sleep(pollMs);
  tellState(run, output);
}

function tellState(run: string, output: Output): number {
  const { state, status } = viewRun(run);
  output.say(`${run}: ${state} at step ${status.step}`);
  output.line({ type: 'result', path: run, state, step: status.step });
  return exitCodes.done;
}
