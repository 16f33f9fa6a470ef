/**
 * @file A run -> an offline run of Weights & Biases, written by its own library in a Python process that somebody else
 * starts. Steps can only grow there and a file cut short cannot be continued, so that each process writes its offline
 * run anew, with the rows that stand, and drops the older one when the new one holds as much.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runNames, type SampleRow } from '../../shared/runFolder.ts';
import { listConfig, listScalars } from './reportedNames.ts';
import {
  type RunRest,
  type RunUpdate,
  StartOver,
  type TrackedRun,
  type Tracker,
  type TrackerMemory,
} from './tracker.ts';

export type WandbMessage =
  | {
      type: 'init';
      id: string;
      folder: string;
      project: string;
      entity: string | null;
      name: string;
      tags: readonly string[];
      config: Record<string, string | number | boolean>;
    }
  | { type: 'log'; rows: { step: number; values: Record<string, number> }[] }
  | { type: 'samples'; rows: { step: number; prompt: string; text: string }[] }
  | { type: 'artifact'; name: string; folder: string }
  | { type: 'finish'; state: string };

/** The Python process: one answer a message, in order. */
export interface WandbLink {
  /** @throws TuneError `tracker` */
  send(message: WandbMessage): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface WandbTarget {
  readonly project: string;
  readonly entity: string | null;
}

/** A table of more rows is of no use to anybody. */
const maxSamples = 1000;

export class WandbTracker implements Tracker {
  readonly kind = 'wandb';
  readonly startsOver = true;
  readonly batchRows = 1000;
  readonly remarks: string[] = [];
  private readonly target: WandbTarget;
  private readonly startLink: () => WandbLink;
  private link_: WandbLink | undefined;
  private run: TrackedRun | undefined;
  private folder = '';
  private samples: SampleRow[] = [];

  constructor(target: WandbTarget, startLink: () => WandbLink) {
    this.target = target;
    this.startLink = startLink;
  }

  get memory(): TrackerMemory {
    return this.folder === '' ? {} : { folder: this.folder };
  }

  get link(): string | null {
    return this.folder === '' ? null : this.folder;
  }

  async open(run: TrackedRun): Promise<void> {
    await this.dispose();
    this.run = run;
    this.samples = [];
    this.link_ = this.startLink();
    const answer = await this.link_.send({
      type: 'init',
      id: run.id,
      folder: run.path,
      project: this.target.project,
      entity: this.target.entity,
      name: run.name,
      tags: run.tags.map(tag => tag.slice(0, 64)),
      config: Object.fromEntries(listConfig(run.record)),
    });
    this.folder = String(answer.folder);
  }

  async write(updates: readonly RunUpdate[]): Promise<void> {
    const rows: { step: number; values: Record<string, number> }[] = [];
    for (const update of updates) {
      if (update.type === 'superseded') throw new StartOver();
      if (update.type === 'sample') this.samples = [...this.samples, update.row].slice(-maxSamples);
      else rows.push({ step: update.row.step, values: Object.fromEntries(listScalars(update.row)) });
    }
    if (rows.length > 0) await this.link_!.send({ type: 'log', rows });
  }

  async rest({ state, adapter }: RunRest): Promise<void> {
    const link = this.link_!;
    if (this.samples.length > 0) {
      const rows = this.samples.map(({ step, prompt, text }) => ({ step, prompt, text }));
      await link.send({ type: 'samples', rows });
    }
    if (adapter !== undefined) await link.send({ type: 'artifact', name: `adapter-${this.run!.id}`, folder: adapter });
    await link.send({ type: 'finish', state });
    await this.dispose();
    this.dropOlder();
  }

  async dispose(): Promise<void> {
    await this.link_?.close();
    this.link_ = undefined;
  }

  private dropOlder(): void {
    const place = join(this.run!.path, runNames.wandb);
    for (const name of existsSync(place) ? readdirSync(place) : []) {
      const path = join(place, name);
      if (name.startsWith('offline-run-') && path !== this.folder) rmSync(path, { recursive: true, force: true });
    }
  }
}
