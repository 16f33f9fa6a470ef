/**
 * @file Questions that come at any time -> their tokens, decoded side by side on one session: a step reads the weights once
 * for all rows, a new row joins between two steps, one that has ended makes room at once (continuous batching, as in Orca,
 * Yu et al. 2022). Rows of one adapter share a step; rows of different adapters take steps in turn. Prompts run a piece at a time
 * between the steps, so that a long one does not hold up answers that are under way.
 */
import { setImmediate } from 'node:timers/promises';
import type { AdapterInputs } from './adapterInputs.ts';
import type { DecodingSession } from './decodingSession.ts';
import { copyRows, type KeyValueCache, listRows } from './keyValueCache.ts';

export interface DecodingRow {
  /** At least one token, and fewer than the context has; it is the caller's to end the row before the context is full. */
  readonly prompt: readonly number[];
  readonly adapter: AdapterInputs;
  /** Logits of the next token [V], to be read during the call alone -> the token to go on with; undefined ends the row. */
  take(logits: Float32Array): number | undefined;
  /** Logits after the prompt's token at `position`; absent: they are not computed. */
  readonly onPromptLogits?: ((logits: Float32Array, position: number) => void) | undefined;
  /** Ends the row before its next step, with an AbortError. */
  readonly signal?: AbortSignal | undefined;
}

export interface BatchLimits {
  /** Rows that decode at once; more wait. */
  readonly maxRows: number;
  /** Of keys and values of all rows, where more than one is under way. */
  readonly maxCacheBytes: number;
}

export const defaultBatchLimits: BatchLimits = { maxRows: 16, maxCacheBytes: 2 ** 30 };

/** Tokens of a prompt that run between two steps. */
const promptPiece = 256;
/** Fewer where each has logits, [V] floats. */
const scoredPiece = 32;

interface Job {
  readonly row: DecodingRow;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** The prompt and the answer so far; the last one is not in the cache yet while the row decodes. */
  readonly tokens: number[];
  /** Of `tokens`, while the prompt runs. */
  cache: KeyValueCache;
  ran: number;
}

interface Group {
  readonly adapter: AdapterInputs;
  /** In the order of the cache's rows. */
  jobs: Job[];
  cache: KeyValueCache;
}

export class BatchDecoder {
  private readonly session: DecodingSession;
  private readonly limits: BatchLimits;
  private readonly waiting: Job[] = [];
  private groups: Group[] = [];
  private isRunning = false;

  constructor(session: DecodingSession, limits: BatchLimits = defaultBatchLimits) {
    this.session = session;
    this.limits = limits;
  }

  /** Ends with the row. @throws TuneError `not-finite`, `engine`; AbortError when cancelled */
  decode(row: DecodingRow): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ row, resolve, reject, tokens: [...row.prompt], cache: this.session.emptyCache(), ran: 0 });
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.length > 0 || this.groups.length > 0) {
      await setImmediate(); // whoever asks, leaves or listens gets a turn
      this.dropCancelled();
      await this.runPromptPiece();
      for (const group of [...this.groups]) await this.runStep(group);
    }
    this.isRunning = false;
  }

  private dropCancelled(): void {
    const isCancelled = ({ row }: Job): boolean => row.signal?.aborted === true;
    for (const job of this.waiting.filter(isCancelled)) {
      this.waiting.splice(this.waiting.indexOf(job), 1);
      job.reject(job.row.signal?.reason);
    }
    for (const group of [...this.groups]) {
      const gone = group.jobs.filter(isCancelled);
      for (const job of gone) job.reject(job.row.signal?.reason);
      if (gone.length > 0) this.keepJobs(group, job => !gone.includes(job));
    }
  }

  /** One piece of the prompt that has waited longest, if there is room for its row. */
  private async runPromptPiece(): Promise<void> {
    const job = this.waiting[0];
    if (job === undefined || !this.hasRoom(job)) return;
    const { row, tokens, ran } = job;
    // What an answer has added to a prompt that runs again is no part of the prompt.
    const isScored = row.onPromptLogits !== undefined && tokens.length === row.prompt.length;
    const piece = tokens.slice(ran, ran + (isScored ? scoredPiece : promptPiece));
    try {
      const step = isScored
        ? await this.session.extendGuessed(piece, job.cache, row.adapter)
        : await this.session.extend(piece, job.cache, row.adapter);
      job.cache = step.cache;
      job.ran += piece.length;
      const width = step.logits.length / (isScored ? piece.length : 1);
      if (isScored) {
        for (const i of piece.keys()) row.onPromptLogits?.(step.logits.subarray(i * width, (i + 1) * width), ran + i);
      }
      if (job.ran < tokens.length) return;
      this.waiting.splice(this.waiting.indexOf(job), 1);
      if (this.takeToken(job, step.logits.subarray(step.logits.length - width))) this.join(job);
    } catch (error) {
      this.waiting.splice(this.waiting.indexOf(job), 1);
      job.reject(error);
    }
  }

  private join(job: Job): void {
    const { config } = this.session.resident.model;
    const group = this.groups.find(({ adapter }) => adapter === job.row.adapter);
    const rows = [...(group ? listRows(group.cache) : []), ...listRows(job.cache)];
    const cache = copyRows(config, rows, Math.max(...rows.map(({ cache: of, row }) => of.tokens[row]!)) + 1);
    if (group === undefined) this.groups.push({ adapter: job.row.adapter, jobs: [job], cache });
    else Object.assign(group, { jobs: [...group.jobs, job], cache });
    job.cache = this.session.emptyCache();
  }

  private async runStep(group: Group): Promise<void> {
    this.makeRoom();
    const { jobs } = group;
    if (jobs.length === 0) return;
    try {
      const last = jobs.map(({ tokens }) => tokens.at(-1)!);
      const { logits, cache } = await this.session.extendRows(last, group.cache, group.adapter);
      group.cache = cache;
      const width = logits.length / jobs.length;
      const going = jobs.filter((job, i) => this.takeToken(job, logits.subarray(i * width, (i + 1) * width)));
      if (going.length < jobs.length) this.keepJobs(group, job => going.includes(job));
    } catch (error) {
      for (const job of jobs) job.reject(error);
      this.keepJobs(group, () => false);
    }
  }

  /** Whether the row goes on. What its owner throws is its own end. */
  private takeToken({ row, tokens, resolve, reject }: Job, logits: Float32Array): boolean {
    try {
      const token = row.take(logits);
      if (token !== undefined) return tokens.push(token) > 0;
      resolve();
    } catch (error) {
      reject(error);
    }
    return false;
  }

  private keepJobs(group: Group, isKept: (job: Job) => boolean): void {
    const rows = listRows(group.cache).filter((_, i) => isKept(group.jobs[i]!));
    group.jobs = group.jobs.filter(isKept);
    if (group.jobs.length === 0) {
      this.groups = this.groups.filter(other => other !== group);
      return;
    }
    const longest = Math.max(...rows.map(({ cache, row }) => cache.tokens[row]!));
    group.cache = copyRows(this.session.resident.model.config, rows, longest + 1);
  }

  private hasRoom(job: Job): boolean {
    const rows = this.groups.reduce((sum, { jobs }) => sum + jobs.length, 0);
    if (rows === 0) return true;
    if (rows >= this.limits.maxRows) return false;
    const own = this.groups.find(({ adapter }) => adapter === job.row.adapter);
    const room = (jobs: readonly Job[]): number => jobs.length * Math.max(...jobs.map(({ tokens }) => tokens.length));
    const tokens = this.groups.reduce((sum, { jobs, adapter }) => {
      return sum + (adapter === own?.adapter ? room([...jobs, job]) : room(jobs));
    }, 0);
    return (tokens + (own ? 0 : job.tokens.length)) * this.tokenBytes <= this.limits.maxCacheBytes;
  }

  /** Where rows have grown beyond the limit, the one that came last waits again; its tokens run anew when there is room. */
  private makeRoom(): void {
    for (;;) {
      const jobs = this.groups.flatMap(group => group.jobs.map(job => ({ group, job })));
      const tokens = this.groups.reduce((sum, { cache, jobs: own }) => {
        return sum + own.length * (Math.max(...cache.tokens) + 1);
      }, 0);
      const last = jobs.at(-1);
      if (last === undefined || jobs.length === 1 || tokens * this.tokenBytes <= this.limits.maxCacheBytes) return;
      this.keepJobs(last.group, job => job !== last.job);
      this.waiting.unshift(Object.assign(last.job, { cache: this.session.emptyCache(), ran: 0 }));
    }
  }

  private get tokenBytes(): number {
    const { layers, keyValueHeads, headSize } = this.session.resident.model.config;
    return 2 * layers * keyValueHeads * headSize * 4;
  }
}
