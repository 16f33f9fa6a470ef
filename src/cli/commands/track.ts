/** `tuning-fork track`: reports a run to TensorBoard, MLflow or Weights & Biases, or says how far that is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { judgeProcess } from '../../core/runs/processRegistry.ts';
import { findRun } from '../../core/runs/runStore.ts';
import { viewRun } from '../../core/runs/runView.ts';
import { readReport, readTargets, removeTarget } from '../../core/trackers/trackerFiles.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { fromWireError, TuneError } from '../../shared/errors.ts';
import { isActive } from '../../shared/runState.ts';
import { type TrackerKind, type TrackerReport, trackerLabels } from '../../shared/trackers.ts';
import type { Command, CommandArguments } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { runsOption, storeFolder } from '../runOptions.ts';
import { startTrackerProcess } from '../startTrackerProcess.ts';
import { readKinds, readTrackerOrders, trackToOptions } from '../trackerOptions.ts';

const pollMs = 200;
/** A process that ended without a word was not able to start. */
const startLooks = 50;

export const track: Command = {
  name: 'track',
  summary: 'Report a run to TensorBoard, MLflow or Weights & Biases.',
  usage: '<run> [--to tensorboard|mlflow|wandb]... [--sync | --off] [--runs DIR]',
  options: [
    ...trackToOptions,
    { name: 'sync', help: 'Upload the offline run of Weights & Biases, with the key in WANDB_API_KEY.' },
    { name: 'off', help: 'No longer report there; what was reported stays.' },
    runsOption,
  ],
  maxPositionals: 1,
  details: [
    'Without --to: where the run is reported and how far each tracker is.',
    'A process of its own reports, so that Ctrl-C here changes nothing: it goes on until the run has ended and all has arrived.',
    'MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, are given to the MLflow server.',
  ].join('\n'),
  run: (args, output) => {
    const run = findRun(args.positional(0, 'run'), storeFolder(args));
    const kinds = readKinds(args, 'to');
    if (args.has('off')) return Promise.resolve(stopTracking(run, kinds, output));
    if (kinds.length === 0 && !args.has('sync')) return Promise.resolve(tellReports(run, output));
    return interruptible(output, signal => report(run, kinds, args, output, signal));
  },
};

async function report(
  run: string,
  kinds: readonly TrackerKind[],
  args: CommandArguments,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const { targets, keys, python } = readTrackerOrders(args, 'to');
  if (targets.length > 0) {
    const startedMs = Date.now();
    await startTrackerProcess({ type: 'report', run, kinds: [...kinds], named: targets, keys, python });
    for (const kind of kinds) await watch(run, kind, startedMs, output, signal);
  }
  if (args.has('sync') && !signal.aborted) {
    output.say('Uploading to Weights & Biases.');
    const reply = await startTrackerProcess({ type: 'sync', run, keys, python });
    if (reply.type === 'synced' && reply.link !== null) output.say(reply.link);
  }
  return tellReports(run, output);
}

/** Until everything that the run has now was told. @throws TuneError as the tracker process refused */
async function watch(
  run: string,
  kind: TrackerKind,
  startedMs: number,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  let told = '';
  for (let look = 0; !signal.aborted; look++) {
    const found = readReport(run, kind);
    const isAlive = found?.identity != null && judgeProcess(found.identity, run) === 'alive';
    // What an earlier process left behind says nothing of this one.
    if (found !== undefined && (isAlive || Date.parse(found.updatedAt) >= startedMs)) {
      const text = describe(kind, { ...found, retryAt: null });
      if (found.state !== 'reporting' && text !== told) output.say(text);
      told = text;
      if (found.state === 'refused' && found.error !== null) throw fromWireError(found.error);
      const goesOn = isActive(viewRun(run).state);
      if (found.state === 'caughtUp' && (goesOn || !isAlive)) return;
    }
    if (!isAlive && look >= startLooks) {
      const message = `${trackerLabels[kind]}: expected a process that reports, got ${found?.state ?? 'none'}`;
      throw new TuneError('process-ended', message, { hint: 'Try again; report this if it stays so.' });
    }
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

function stopTracking(run: string, kinds: readonly TrackerKind[], output: Output): number {
  for (const kind of kinds.length > 0 ? kinds : readTargets(run).map(target => target.kind)) {
    removeTarget(run, kind);
  }
  return tellReports(run, output);
}

function tellReports(run: string, output: Output): number {
  const trackers = readTargets(run).map(({ kind }) => {
    const found = readReport(run, kind);
    output.print(found === undefined ? `${trackerLabels[kind]}: not begun` : describe(kind, found));
    const { state = 'notBegun', link = null, remarks = [], error = null } = found ?? {};
    return { kind, state, step: found === undefined ? null : Math.max(0, found.position.step), link, remarks, error };
  });
  if (trackers.length === 0) output.say('This run is not reported anywhere: --to tensorboard|mlflow|wandb');
  output.line({ type: 'result', path: run, trackers });
  return exitCodes.done;
}

function describe(kind: TrackerKind, { state, position, link, error, remarks, retryAt }: TrackerReport): string {
  const states = { reporting: 'reporting', caughtUp: 'up to date', waiting: 'waiting', refused: 'not reported' };
  const place = link === null ? '' : `\n  ${link}`;
  const again = retryAt === null ? '' : `\n  tried again at ${retryAt}`;
  const trouble = error === null ? '' : `\n  ${error.message}${error.hint === undefined ? '' : `\n  ${error.hint}`}`;
  const notes = remarks.map(remark => `\n  ${remark}`).join('');
  return `${trackerLabels[kind]}: ${states[state]}, step ${Math.max(0, position.step)}${place}${trouble}${again}${notes}`;
}
