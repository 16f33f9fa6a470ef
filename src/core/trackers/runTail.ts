/**
 * @file metrics.jsonl and samples.jsonl -> updates in the order of their lines, a bounded number at a time. The offsets move
 * past whole lines only, so that a torn line is read again when it is complete. Rows that a later attempt supersedes are
 * left out when that is known already, and taken back when it comes to light after they were told.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { metricsRowSchema, runNames, sampleRowSchema } from '../../shared/runFolder.ts';
import type { TrackerPosition } from '../../shared/trackers.ts';
import type { RunUpdate } from './tracker.ts';

const readBytes = 1024 * 1024;
const newline = 0x0a;

export const startPosition: TrackerPosition = { metricsBytes: 0, samplesBytes: 0, attempt: 0, step: -1, ended: null };

export interface TailBatch {
  readonly updates: readonly RunUpdate[];
  /** Where the next batch begins, once this one is delivered. */
  readonly position: TrackerPosition;
}

interface Line {
  readonly value: unknown;
  /** Offset behind the line. */
  readonly end: number;
}

/** From this offset on stands an attempt that began at `fromStep`. */
interface Restart {
  readonly attempt: number;
  readonly fromStep: number;
  readonly offset: number;
}

export class RunTail {
  private readonly metrics: string;
  private readonly samples: string;
  private restarts: Restart[] = [];
  private newestAttempt = 0;
  private scannedBytes = 0;

  constructor(run: string) {
    this.metrics = join(run, runNames.metrics);
    this.samples = join(run, runNames.samples);
  }

  /** What stands behind `position`: at most `maxRows` rows of each file. No updates: nothing new. */
  async read(position: TrackerPosition, maxRows: number): Promise<TailBatch> {
    await this.scan();
    let next = this.scannedBytes < position.metricsBytes ? startPosition : position;
    const updates: RunUpdate[] = [];
    if (next !== position && position.step >= 0) updates.push({ type: 'superseded', fromStep: 0 });
    for (const { value, end } of await readLines(this.metrics, next.metricsBytes, maxRows)) {
      const parsed = metricsRowSchema.safeParse(value);
      const restart = this.restarts.find(({ offset }) => offset === end);
      next = { ...next, metricsBytes: end };
      if (restart !== undefined && restart.fromStep <= next.step) {
        updates.push({ type: 'superseded', fromStep: restart.fromStep });
        next = { ...next, step: restart.fromStep - 1 };
      }
      if (!parsed.success || this.isSuperseded(parsed.data, end)) continue;
      next = { ...next, attempt: parsed.data.attempt, step: Math.max(next.step, parsed.data.step) };
      updates.push({ type: 'row', row: parsed.data });
    }
    for (const { value, end } of await readLines(this.samples, next.samplesBytes, maxRows)) {
      const parsed = sampleRowSchema.safeParse(value);
      next = { ...next, samplesBytes: end };
      if (parsed.success && !this.isSuperseded(parsed.data, 0)) updates.push({ type: 'sample', row: parsed.data });
    }
    const isSame = next.metricsBytes === position.metricsBytes && next.samplesBytes === position.samplesBytes;
    return { updates, position: isSame ? position : next };
  }

  /** Whether a later attempt that is known of began at or before this row's step. */
  private isSuperseded(row: { attempt: number; step: number }, end: number): boolean {
    return this.restarts.some(
      restart => restart.offset > end && restart.attempt > row.attempt && restart.fromStep <= row.step,
    );
  }

  /** Finds where later attempts begin in what the file gained. */
  private async scan(): Promise<void> {
    for (;;) {
      const lines = await readLines(this.metrics, this.scannedBytes, 5000);
      if (lines.length === 0) {
        if (this.scannedBytes > 0 && (await sizeOf(this.metrics)) < this.scannedBytes) this.forget();
        return;
      }
      for (const { value, end } of lines) {
        this.scannedBytes = end;
        const { attempt, step } = (value ?? {}) as { attempt?: unknown; step?: unknown };
        if (typeof attempt !== 'number' || typeof step !== 'number' || attempt <= this.newestAttempt) continue;
        if (this.newestAttempt > 0) this.restarts.push({ attempt, fromStep: step, offset: end });
        this.newestAttempt = attempt;
      }
    }
  }

  private forget(): void {
    this.restarts = [];
    this.newestAttempt = 0;
    this.scannedBytes = 0;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    const file = await open(path, 'r');
    try {
      return (await file.stat()).size;
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** Whole lines behind `offset`, parsed; undefined for a line that is none of ours. */
async function readLines(path: string, offset: number, maxLines: number): Promise<Line[]> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const lines: Line[] = [];
  try {
    const buffer = Buffer.alloc(readBytes);
    let from = offset;
    while (lines.length < maxLines) {
      const { bytesRead } = await file.read(buffer, 0, readBytes, from);
      let start = 0;
      for (let end = buffer.indexOf(newline); end >= 0 && end < bytesRead && lines.length < maxLines; ) {
        lines.push({ value: parseLine(buffer.toString('utf8', start, end)), end: from + end + 1 });
        start = end + 1;
        end = buffer.indexOf(newline, start);
      }
      if (bytesRead < readBytes) break;
      // A line that fills the whole read is none of ours.
      from += start === 0 ? bytesRead : start;
    }
  } finally {
    await file.close();
  }
  return lines;
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // torn by a kill and closed by the next attempt
  }
}
