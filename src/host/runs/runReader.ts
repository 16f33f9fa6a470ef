/** @file One run folder -> what is known of it, read again only where files changed. */
import { lstat, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import type { TrackerLine } from '../../shared/pages.ts';
import { type PipelineProgress, pipelineProgressSchema } from '../../shared/pipeline.ts';
import type { RunRecord, RunRequest } from '../../shared/recipe.ts';
import { isElsewhere, type RemoteSigns, RemoteWatch } from '../../shared/remoteRun.ts';
import {
  notesSchema,
  type ProcessIdentity,
  type RunNotes,
  type RunStatus,
  runNames,
  type SampleRow,
  sampleRowSchema,
  statusSchema,
} from '../../shared/runFolder.ts';
import { appendMetricsLine, isActive, type RunSeries, type ShownState, shownState } from '../../shared/runState.ts';
import {
  asTraining,
  asTrainingRequest,
  kindOf,
  parentsOf,
  type RunKind,
  type StoredRecord,
  type StoredRequest,
  storedRecordSchema,
  storedRequestSchema,
} from '../../shared/storedRecord.ts';
import { type StudySnapshot, searchNames, studySnapshotSchema } from '../../shared/studySnapshot.ts';
import { readTrackerLines } from '../trackers/readTrackerLines.ts';
import { FileTail } from './fileTail.ts';
import { readJsonFile } from './readJsonFile.ts';

/** Whether the process of this identity lives, is ours, and works on this run folder. */
export type Liveness = (run: string, identity: ProcessIdentity) => Promise<boolean>;

/** A folder this young may still be waiting for its first status. */
const firstStatusMs = 15_000;
const logTailLines = 200;
const trackerLookMs = 1000;

export class RunReader {
  readonly id: string;
  storedRequest: StoredRequest | undefined;
  stored: StoredRecord | undefined;
  notes: RunNotes | undefined;
  status: RunStatus | undefined;
  state: ShownState = 'preparing';
  /** Of a pipeline. */
  pipeline: PipelineProgress | undefined;
  output: 'adapter' | 'model' | undefined;
  samples: SampleRow[] = [];
  logTail: string[] = [];
  series: RunSeries = { steps: [], evaluations: [] };
  trackers: TrackerLine[] = [];

  /** Of a search. */
  study: StudySnapshot | undefined;

  private seenStudy = '';

  /** Of a run that another machine works on. */
  remote: RemoteSigns | null = null;

  private readonly remoteWatch: RemoteWatch;
  private seenStatus = '';
  private seenPipeline = '';
  private lookedAtTrackers = Number.NEGATIVE_INFINITY;
  private seenNotes = '';
  private readonly metricsTail: FileTail;
  private readonly samplesTail: FileTail;
  private readonly logTailFile: FileTail;

  constructor(
    readonly path: string,
    /** The `.tuning-fork` folder it belongs to. */
    readonly store: string,
    private readonly isAlive: Liveness,
    private readonly now: () => number,
    private readonly ownHost: string = hostname(),
  ) {
    this.remoteWatch = new RemoteWatch(now);
    this.id = basename(path);
    this.metricsTail = new FileTail(join(path, runNames.metrics));
    this.samplesTail = new FileTail(join(path, runNames.samples));
    this.logTailFile = new FileTail(join(path, runNames.log));
  }

  get kind(): RunKind {
    return kindOf(this.stored ?? this.storedRequest ?? {});
  }

  /** The recipe of a run that trains. */
  get record(): RunRecord | undefined {
    return asTraining(this.stored);
  }

  get request(): RunRequest | undefined {
    return asTrainingRequest(this.storedRequest);
  }

  /** Ids of the runs that this one belongs to or goes on from. */
  get parents(): readonly string[] {
    return parentsOf(this.stored ?? this.storedRequest);
  }

  get name(): string {
    return this.notes?.name ?? this.storedRequest?.name ?? this.id.slice(16, -5);
  }

  /** Reads state and recipe; true when something shown changed. */
  async refreshSummary(): Promise<boolean> {
    const before = this.fingerprint();
    this.storedRequest ??= await readJsonFile(join(this.path, runNames.request), storedRequestSchema);
    this.stored ??= await readJsonFile(join(this.path, runNames.run), storedRecordSchema);
    await this.refreshNotes();
    if (this.kind === 'search') await this.refreshStudy();
    await this.refreshStatus();
    if (this.kind === 'pipeline') await this.refreshPipeline();
    this.output = await this.findOutput();
    return before !== this.fingerprint();
  }

  /** Reads what metrics, samples and log gained; true when something came. */
  async refreshSeries(): Promise<boolean> {
    const [metrics, samples, log] = await Promise.all([
      this.metricsTail.read(),
      this.samplesTail.read(),
      this.logTailFile.read(),
    ]);
    const trackersChanged = await this.refreshTrackers();
    if (metrics.restarted) this.series = { steps: [], evaluations: [] };
    for (const line of metrics.lines) appendMetricsLine(this.series, line);
    if (samples.restarted) this.samples = [];
    for (const line of samples.lines) this.addSample(line);
    this.logTail = [...this.logTail, ...log.lines].slice(-logTailLines);
    return trackersChanged || metrics.restarted || metrics.lines.length + samples.lines.length + log.lines.length > 0;
  }

  /** Looked at less often than rows: whether a process lives may cost a process. */
  private async refreshTrackers(): Promise<boolean> {
    if (this.now() - this.lookedAtTrackers < trackerLookMs) return false;
    this.lookedAtTrackers = this.now();
    const before = JSON.stringify(this.trackers);
    this.trackers = await readTrackerLines(this.path, this.isAlive);
    return JSON.stringify(this.trackers) !== before;
  }

  private fingerprint(): string {
    const known = `${this.storedRequest !== undefined} ${this.stored !== undefined} ${this.output}`;
    // A run that is heard of no more says since when, to the quarter of a minute.
    const quiet = this.remote === null ? '' : Math.floor(this.remote.quietMs / 15_000);
    return `${this.state} ${quiet} ${this.seenStatus} ${this.seenNotes} ${this.seenPipeline} ${this.seenStudy} ${known}`;
  }

  private async refreshNotes(): Promise<void> {
    const version = await fileVersion(join(this.path, runNames.notes));
    if (version === this.seenNotes) return;
    this.seenNotes = version;
    this.notes = await readJsonFile(join(this.path, runNames.notes), notesSchema);
  }

  private async refreshPipeline(): Promise<void> {
    const file = join(this.path, runNames.pipeline);
    const version = await fileVersion(file);
    if (version === this.seenPipeline) return;
    this.pipeline = (await readJsonFile(file, pipelineProgressSchema)) ?? this.pipeline;
    this.seenPipeline = version;
  }

  private async refreshStudy(): Promise<void> {
    const file = join(this.path, searchNames.study);
    const version = await fileVersion(file);
    if (version === this.seenStudy) return;
    const study = await readJsonFile(file, studySnapshotSchema);
    if (study === undefined) return;
    this.study = study;
    this.seenStudy = version;
  }

  private async refreshStatus(): Promise<void> {
    const file = join(this.path, runNames.status);
    const version = await fileVersion(file);
    if (version !== this.seenStatus) {
      // A reader on Windows may meet the file in the middle of being replaced: the last good status stands.
      const status = await readJsonFile(file, statusSchema);
      if (status !== undefined || version === '') this.status = status;
      if (status !== undefined || version === '') this.seenStatus = version;
    }
    this.state = await this.findState();
  }

  private async findState(): Promise<ShownState> {
    const { status } = this;
    if (status === undefined) {
      const folder = await stat(this.path).catch(() => undefined);
      return folder !== undefined && this.now() - folder.mtimeMs < firstStatusMs ? 'preparing' : 'interrupted';
    }
    this.remote = null;
    if (!isActive(status.state)) return status.state;
    const host = status.identity?.host;
    if (status.identity !== null && host !== undefined && isElsewhere(status.identity, this.ownHost)) {
      this.remote = this.remoteWatch.look(status, host);
      return shownState(status, this.remote.isAlive);
    }
    return shownState(status, status.identity !== null && (await this.isAlive(this.path, status.identity)));
  }

  private async findOutput(): Promise<'adapter' | 'model' | undefined> {
    if (await isFolder(join(this.path, runNames.adapter))) return 'adapter';
    return (await isFolder(join(this.path, runNames.model))) ? 'model' : undefined;
  }

  private addSample(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return; // torn or foreign line
    }
    const parsed = sampleRowSchema.safeParse(value);
    if (!parsed.success) return;
    const row = parsed.data;
    this.samples = this.samples.filter(old => !(old.attempt < row.attempt && old.step >= row.step));
    this.samples.push(row);
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

/** Changes whenever the file does; empty when there is none. */
async function fileVersion(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? '' : `${found.mtimeMs}:${found.size}:${found.ino}`;
}
