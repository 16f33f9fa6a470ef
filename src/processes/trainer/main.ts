/** The trainer process: takes one command from its parent, does one job into a run folder, starts the next queued run, ends. */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DeviceQueue } from '../../core/runs/deviceQueue.ts';
import { ensureUserStateFolder, registerProcess, unregisterProcess } from '../../core/runs/processRegistry.ts';
import { writeStatus } from '../../core/runs/runFiles.ts';
import { exitCodes, type JsonLine } from '../../shared/commandLine.ts';
import { TuneError, toWireError, type WireError } from '../../shared/errors.ts';
import { type ProcessIdentity, runNames } from '../../shared/runFolder.ts';
import { isOrchestrating } from '../../shared/storedRecord.ts';
import { type TrainerCommand, trainerCommandSchema, type WorkCommand } from '../../shared/trainerProtocol.ts';
import { windowLeaseFolderName } from '../../shared/windowLease.ts';
import { type ClaimedRun, claimRun } from './claimRun.ts';
import { enterOwnEnvironment } from './environment.ts';
import { leaveQueue } from './leaveQueue.ts';
import { LogFile } from './logFile.ts';
import { closeChannel, receiveCommand, sendToParent } from './parentChannel.ts';
import { RunSession } from './runSession.ts';
import { keepTrackerOrders, startTracker } from './startTracker.ts';
import { startNextRuns } from './startTrainer.ts';
import { waitForTurn } from './waitForTurn.ts';
import { WindowWatch } from './windowWatch.ts';

const commandTimeoutMs = 30_000;

/** What ends this run from outside, besides control files. */
const outside: { ask: (what: 'pause' | 'stop') => void } = { ask: () => undefined };

async function main(): Promise<number> {
  for (const signal of ['SIGHUP', 'SIGINT'] as const) process.on(signal, () => undefined);
  process.on('SIGTERM', () => outside.ask('pause'));
  let claimed: ClaimedRun;
  let command: WorkCommand;
  try {
    enterOwnEnvironment();
    const received = await receiveCommand(commandTimeoutMs);
    if (received === undefined) return exitCodes.usage;
    const parsed = parseCommand(received);
    if (parsed.type === 'leave') {
      await sendToParent(await leaveQueue(parsed.run));
      return exitCodes.done;
    }
    command = parsed;
    if (command.attached) process.once('disconnect', () => outside.ask('pause'));
    claimed = claimRun(command);
  } catch (error) {
    await sendToParent({ type: 'refused', error: toWireError(error) });
    return exitCodes.failed;
  }
  return work(command, claimed);
}

function parseCommand(received: unknown): TrainerCommand {
  const parsed = trainerCommandSchema.safeParse(received);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TuneError('usage', `command, ${issue?.path.join('.')}: expected a trainer command, got ${issue?.message}`);
}

/** The device is asked for before anything is promised; from `accepted` on, failures are the run's and stand in its status. */
async function work(command: WorkCommand, claimed: ClaimedRun): Promise<number> {
  const { id, path: run, status } = claimed;
  let entered: ProcessIdentity | undefined;
  try {
    const identity = registerProcess(run);
    entered = identity;
    keepTrackerOrders(run, command);
    const log = new LogFile(run);
    const queue = openQueue(command, claimed);
    const answer = await queue.enter(run, identity, command.attached);
    log.takeStandardStreams();
    const startNext = (next: string | undefined) =>
      startNextRuns(queue, next, { run, identity }, text => log.write(text));
    if (!answer.isTurn) writeStatus(run, { ...status, identity: command.attached ? identity : null }, true);
    await sendToParent({ type: 'accepted', id, path: run, queued: !answer.isTurn });
    await startNext(answer.startNext);
    if (!answer.isTurn && !command.attached) return exitCodes.done;
    try {
      return await compute(command, claimed, { identity, queue, log, startNext, isTurn: answer.isTurn });
    } finally {
      await startNext(await queue.leave(run, identity));
    }
  } catch (error) {
    if (command.type === 'start') dropUnbegun(claimed, command.attached, toWireError(error));
    await sendToParent({ type: 'refused', error: toWireError(error) });
    return exitCodes.failed;
  } finally {
    if (entered !== undefined) unregisterProcess(entered.nonce);
  }
}

/** Jobs that only start others hold no device: any number of them is at work beside each other. */
function openQueue(command: WorkCommand, { request }: ClaimedRun): DeviceQueue {
  if (isOrchestrating(request)) return new DeviceQueue('none', 'orchestrating');
  return new DeviceQueue('cpu', command.type === 'resume' ? command.group : undefined);
}

/** A new run that could not even begin, as on a full disk, does not stay behind as one that waits. */
function dropUnbegun({ path, status }: ClaimedRun, attached: boolean, error: WireError): void {
  if (existsSync(join(path, runNames.run))) return;
  // An attached parent tells a person at once.
  if (attached || !hasWritten(() => writeStatus(path, { ...status, state: 'failed', identity: null, error }, true))) {
    rmSync(path, { recursive: true, force: true });
  }
}

function hasWritten(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (error instanceof TuneError) return false;
    throw error;
  }
}

interface Place {
  readonly identity: ProcessIdentity;
  readonly queue: DeviceQueue;
  readonly log: LogFile;
  readonly startNext: (run: string | undefined) => Promise<void>;
  readonly isTurn: boolean;
}

async function compute(command: WorkCommand, { path: run, status }: ClaimedRun, place: Place): Promise<number> {
  const { identity, log } = place;
  let lastLine = Promise.resolve();
  const sendLine = (line: JsonLine) => {
    if (command.attached) lastLine = sendToParent({ type: 'event', line });
  };
  if (!place.isTurn && !(await waitForTurn({ ...place, run, status, outside, sendLine }))) return exitCodes.interrupted;
  const session = new RunSession({
    run,
    status,
    identity,
    attached: command.attached,
    hub: command.hub,
    endpointKeys: command.endpointKeys ?? [],
    trackers: command.trackers,
    onPrepared: () => startTracker(run, command, text => log.write(text)),
    log: text => log.write(text),
    sendLine,
    sendNote: text => {
      if (command.attached) lastLine = sendToParent({ type: 'note', text });
    },
  });
  outside.ask = what => session.ask(what);
  if (command.attached && !process.connected) session.ask('pause');
  const windows = new WindowWatch(join(ensureUserStateFolder(), windowLeaseFolderName), dirname(dirname(run)), () => {
    log.write('trainer: the last window has closed');
    session.ask('pause');
  });
  if (!command.attached) windows.start();
  const code = await session.run();
  windows.stop();
  log.write(`trainer: ends with ${code}`);
  await lastLine;
  return code;
}

const code = await main();
closeChannel();
process.exit(code);
