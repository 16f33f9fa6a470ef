/** The tracker process: tells what a run's folder gains to the places that were chosen, until the run rests and all has arrived. */
import { realpathSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureUserStateFolder, registerProcess, unregisterProcess } from '../../core/runs/processRegistry.ts';
import { followRun } from '../../core/trackers/followRun.ts';
import { addTargets, readTargets, rememberNamed } from '../../core/trackers/trackerFiles.ts';
import { TuneError, toWireError } from '../../shared/errors.ts';
import type { ProcessIdentity } from '../../shared/runFolder.ts';
import {
  type TrackerCommand,
  type TrackerReply,
  type TrackerTarget,
  trackerCommandSchema,
} from '../../shared/trackers.ts';
import { claimTracker } from './claimTracker.ts';
import { createTracker } from './createTracker.ts';
import { takeCommand } from './parent.ts';
import { syncWandb } from './syncWandb.ts';

let isUnwanted = false;
/** A process that is asked to end does so after what it is doing, or at once when it waits. */
const ending = new AbortController();

async function main(): Promise<number> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      isUnwanted = true;
      ending.abort();
    });
  }
  setPriority(constants.priority.PRIORITY_LOW);
  process.chdir(ensureUserStateFolder());
  const received = await takeCommand();
  if (received === undefined) return 2;
  const parsed = trackerCommandSchema.safeParse(received);
  if (!parsed.success) {
    const error = new TuneError('usage', `tracker: expected a command, got ${parsed.error.issues[0]?.message}`);
    await answer({ type: 'refused', error: toWireError(error) });
    return 1;
  }
  const command = { ...parsed.data, run: realpathSync(parsed.data.run) };
  return command.type === 'sync' ? await sync(command) : await report(command);
}

async function sync(command: Extract<TrackerCommand, { type: 'sync' }>): Promise<number> {
  try {
    await answer({ type: 'synced', link: await syncWandb(command) });
    return 0;
  } catch (error) {
    await answer({ type: 'refused', error: toWireError(error) });
    return 1;
  }
}

async function report(command: Extract<TrackerCommand, { type: 'report' }>): Promise<number> {
  const { run } = command;
  const identity = registerProcess(run, 'tracker');
  try {
    const { named = [], python } = command;
    rememberNamed(named, python);
    if (named.length > 0) addTargets(run, named);
    const targets = readTargets(run).filter(({ kind }) => command.kinds.includes(kind));
    await answer({ type: 'accepted' });
    if (process.connected) process.disconnect();
    await Promise.all(targets.map(target => follow(target, command, identity)));
    return 0;
  } finally {
    unregisterProcess(identity.nonce);
  }
}

async function follow(
  target: TrackerTarget,
  command: Extract<TrackerCommand, { type: 'report' }>,
  identity: ProcessIdentity,
): Promise<void> {
  const { run } = command;
  if (!(await claimTracker(run, target, identity))) return;
  await followRun({
    run,
    target,
    tracker: createTracker(target, command),
    identity,
    sleep: ms => sleep(ms, undefined, { signal: ending.signal }).catch(() => undefined),
    now: Date.now,
    isUnwanted: () => isUnwanted || !readTargets(run).some(({ kind }) => kind === target.kind),
  });
}

function answer(reply: TrackerReply): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(reply, undefined, undefined, () => resolve());
  });
}

const code = await main();
if (process.connected) process.disconnect();
process.exit(code);
