/**
 * @file Drives one tracker until the run rests and everything about it was told: a batch, then the position is kept, so that a
 * killed process goes on where it was. A failure is waited out, longer each time; the run itself never notices.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { toWireError, type WireError } from '../../shared/errors.ts';
import { type ProcessIdentity, runNames } from '../../shared/runFolder.ts';
import { isActive, type ShownState } from '../../shared/runState.ts';
import { asTraining } from '../../shared/storedRecord.ts';
import type { TrackerPosition, TrackerReport, TrackerState, TrackerTarget } from '../../shared/trackers.ts';
import { readNotes, readStatus, readStoredRecord } from '../runs/runFiles.ts';
import { viewRun } from '../runs/runView.ts';
import { MlflowError } from './mlflowClient.ts';
import { RunTail, startPosition } from './runTail.ts';
import { StartOver, type TrackedRun, type Tracker, type TrackerMemory } from './tracker.ts';
import { readReport, writeReport } from './trackerFiles.ts';

export interface FollowOptions {
  readonly run: string;
  readonly target: TrackerTarget;
  readonly tracker: Tracker;
  readonly identity: ProcessIdentity;
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => number;
  /** True when this process was asked to end, or the run is no longer to be reported there. */
  readonly isUnwanted: () => boolean;
}

const pollMs = 1000;
/** A heart that beat so lately needs no look at the processes. */
const freshHeartbeatMs = 5000;
const firstWaitMs = 1000;
const longestWaitMs = 5 * 60_000;
/** How long a server may be away after the run came to rest; from then on somebody has to ask. */
const patienceMs = 24 * 3_600_000;

/** Returns when there is nothing left to tell, nobody wants it, or the run was deleted. */
export async function followRun(options: FollowOptions): Promise<void> {
  const { tracker } = options;
  const follower = new Follower(options);
  try {
    while (existsSync(join(options.run, runNames.status)) && !options.isUnwanted()) {
      const waitMs = await follower.advance();
      if (waitMs === undefined) return;
      if (waitMs > 0) await options.sleep(waitMs);
    }
  } finally {
    await tracker.dispose?.();
    follower.letGo();
  }
}

class Follower {
  private readonly options: FollowOptions;
  private tail: RunTail;
  private position: TrackerPosition;
  private memory: TrackerMemory;
  /** As an earlier process left them, until the tracker itself says more. */
  private kept: Pick<TrackerReport, 'link' | 'remarks'> = { link: null, remarks: [] };
  private isOpen = false;
  private failures = 0;
  private failingSince: number | undefined;
  private shown = '';

  constructor(options: FollowOptions) {
    this.options = options;
    this.tail = new RunTail(options.run);
    const kept = readReport(options.run, options.target.kind);
    const isSameTarget = JSON.stringify(kept?.target) === JSON.stringify(options.target);
    this.position = isSameTarget ? kept!.position : startPosition;
    this.memory = isSameTarget ? kept!.memory : {};
    if (isSameTarget) this.kept = kept!;
  }

  /** One step; how long to wait before the next, undefined at the end. */
  async advance(): Promise<number | undefined> {
    try {
      const waitMs = await this.deliver();
      this.failures = 0;
      this.failingSince = undefined;
      return waitMs;
    } catch (error) {
      if (error instanceof StartOver) return this.startOver();
      return await this.postpone(error);
    }
  }

  /** No process delivers any more. */
  letGo(): void {
    const { run, target } = this.options;
    const kept = existsSync(run) ? readReport(run, target.kind) : undefined;
    if (kept?.identity?.nonce === this.options.identity.nonce) writeReport(run, { ...kept, identity: null });
  }

  private async deliver(): Promise<number | undefined> {
    const { run, tracker } = this.options;
    // The state first: rows written before the run came to rest are then seen by the read that follows.
    const { state, attempt } = this.readState();
    const rests = !isActive(state) && state !== 'queued';
    const restName = rests ? `${attempt} ${state}` : null;
    if (!this.isOpen) {
      const tracked = describe(run);
      if (tracked === undefined) return rests ? undefined : pollMs;
      if (restName !== null && this.position.ended === restName && !(await this.hasMore())) {
        this.show('caughtUp');
        return undefined;
      }
      if (tracker.startsOver) this.position = startPosition;
      this.show(rests || this.position.step < 0 ? 'reporting' : 'caughtUp');
      await tracker.open(tracked, this.memory);
      this.memory = tracker.memory;
      this.isOpen = true;
    }
    const { updates, position } = await this.tail.read(this.position, tracker.batchRows);
    if (updates.length > 0) await tracker.write(updates);
    const hasMoved = position !== this.position;
    this.keep(position);
    if (hasMoved) {
      this.show('reporting');
      return 0;
    }
    if (restName === null) {
      this.show('caughtUp');
      return pollMs;
    }
    if (this.position.ended !== restName) {
      await tracker.rest({ state, adapter: findAdapter(run, state) });
      this.keep({ ...position, ended: restName });
    }
    this.show('caughtUp');
    return undefined;
  }

  private async hasMore(): Promise<boolean> {
    return (await this.tail.read(this.position, 1)).position !== this.position;
  }

  private keep(position: TrackerPosition): void {
    this.position = position;
    this.memory = this.options.tracker.memory;
  }

  private startOver(): number {
    this.tail = new RunTail(this.options.run);
    this.position = startPosition;
    this.memory = {};
    this.isOpen = false;
    return 0;
  }

  private async postpone(error: unknown): Promise<number | undefined> {
    const { run, now } = this.options;
    if (!existsSync(join(run, runNames.status))) return undefined; // deleted meanwhile
    this.failures++;
    this.failingSince ??= now();
    this.isOpen = false;
    await this.options.tracker.dispose?.();
    if (this.options.tracker.startsOver) this.tail = new RunTail(run);
    const waitMs = chooseWait(error, this.failures);
    const wire = toWireError(error);
    this.show('waiting', wire, new Date(now() + waitMs).toISOString());
    const { state } = this.readState();
    const rests = !isActive(state) && state !== 'queued';
    return rests && now() - this.failingSince > patienceMs ? undefined : waitMs;
  }

  private readState(): { state: ShownState; attempt: number } {
    const { run, now } = this.options;
    const { state, attempt, heartbeatAt } = readStatus(run);
    const isFresh = Math.abs(now() - Date.parse(heartbeatAt)) < freshHeartbeatMs;
    return { state: isFresh || !isActive(state) ? state : viewRun(run).state, attempt };
  }

  /** Written when something changed; the position with it, always after what it stands for was delivered. */
  private show(state: TrackerState, error: WireError | null = null, retryAt: string | null = null): void {
    const { run, target, tracker, identity, now } = this.options;
    const link = tracker.link ?? this.kept.link;
    const remarks = this.isOpen ? tracker.remarks : this.kept.remarks;
    const report: Omit<TrackerReport, 'updatedAt'> = {
      target,
      state,
      position: this.position,
      memory: this.memory,
      link,
      remarks: [...remarks],
      error,
      retryAt,
      identity,
    };
    const shown = JSON.stringify(report);
    if (shown === this.shown) return;
    writeReport(run, { ...report, updatedAt: new Date(now()).toISOString() });
    this.shown = shown;
  }
}

/** 1 s, 2 s, 4 s... up to 5 minutes; an answer that time alone will not change is asked for rarely from the start. */
function chooseWait(error: unknown, failures: number): number {
  const grown = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures - 1, 20));
  if (!(error instanceof MlflowError) || error.answer === undefined) return grown;
  if (error.retryAfterMs !== undefined) return Math.min(longestWaitMs, Math.max(grown, error.retryAfterMs));
  const { status } = error.answer;
  const isLasting = status >= 400 && status < 500 && ![408, 425, 429].includes(status);
  return isLasting ? Math.max(grown, 30_000) : grown;
}

/** Undefined while the run was not prepared, and for one that trains nothing itself. */
function describe(run: string): TrackedRun | undefined {
  const record = asTraining(readStoredRecord(run));
  if (record === undefined) return undefined;
  const { name, tags } = readNotes(run);
  return { id: record.id, path: run, name, tags, record };
}

/** The adapter as it will stay: before the end another checkpoint may replace it. */
function findAdapter(run: string, state: ShownState): string | undefined {
  const path = join(run, runNames.adapter);
  return (state === 'finished' || state === 'stopped') && existsSync(path) ? path : undefined;
}
