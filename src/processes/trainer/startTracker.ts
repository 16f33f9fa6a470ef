/** @file A run's trackers: what was ordered is kept beside the run, and a process of their own tells them what it gains. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addTargets, readTargets, rememberNamed } from '../../core/trackers/trackerFiles.ts';
import { runNames } from '../../shared/runFolder.ts';
import type { TrackerCommand } from '../../shared/trackers.ts';
import type { WorkCommand } from '../../shared/trainerProtocol.ts';

const answerTimeoutMs = 30_000;

/** To be done before the run begins. @throws TuneError `disk-full` | `not-writable` */
export function keepTrackerOrders(run: string, command: WorkCommand): void {
  const { trackers } = command;
  if (trackers !== undefined) rememberNamed(trackers.targets, trackers.python);
  const targets = [...(trackers?.targets ?? []), ...inheritTargets(run, command)];
  if (targets.length > 0) addTargets(run, targets);
}

/** Starts the process and lets it go; a run is none the worse when that fails. */
export function startTracker(run: string, command: WorkCommand, log: (text: string) => void): void {
  try {
    const kinds = readTargets(run).map(({ kind }) => kind);
    if (kinds.length === 0) return;
    const { keys = {}, python = null } = command.trackers ?? {};
    launch({ type: 'report', run, kinds, keys, python }, log);
  } catch (error) {
    log(`tracker: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A run that a search or a pipeline started is reported where that one is, unless it has places of its own. */
function inheritTargets(run: string, command: WorkCommand) {
  const group = command.type === 'resume' ? command.group : undefined;
  if (group === undefined || group === run || existsSync(join(run, runNames.trackersFile))) return [];
  return readTargets(group);
}

function launch(command: TrackerCommand, log: (text: string) => void): void {
  const program = fileURLToPath(new URL('./tracker.js', import.meta.url));
  const child = spawn(process.execPath, [program], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    windowsHide: true,
  });
  const letGo = (said: string) => {
    clearTimeout(timer);
    child.removeAllListeners();
    child.on('error', () => undefined);
    if (child.connected) child.disconnect();
    child.unref();
    log(`tracker: ${said}`);
  };
  const timer = setTimeout(() => letGo('no answer'), answerTimeoutMs);
  child.once('message', message => letGo((message as { type: string }).type));
  child.once('error', error => letGo(error.message));
  child.once('exit', code => letGo(`ended with ${code}`));
  child.send(command, error => {
    if (error !== null) letGo(error.message);
  });
}
