/** @file A run folder that another engine writes -> the events that a job of ours would tell. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JobEvent } from '../../../core/jobs/jobEvents.ts';
import { readStatus } from '../../../core/runs/runFiles.ts';
import {
  checkpointNamePattern,
  metricsRowSchema,
  type RunStatus,
  runNames,
  sampleRowSchema,
} from '../../../shared/runFolder.ts';
import { FileTail } from './fileTail.ts';

export class RunEvents {
  private readonly run: string;
  private readonly metrics: FileTail;
  private readonly samples: FileTail;
  private readonly checkpoints: Set<string>;
  private phase = '';
  private baseEvalLossNats: number | null = null;

  constructor(run: string) {
    this.run = run;
    this.metrics = new FileTail(join(run, runNames.metrics));
    this.samples = new FileTail(join(run, runNames.samples));
    this.checkpoints = new Set(this.listCheckpoints());
  }

  /** What came since the last look. */
  *read(): Generator<JobEvent> {
    const status = readStatus(this.run);
    const text = JSON.stringify(status.phase);
    if (status.phase !== null && text !== this.phase) yield { kind: 'phase', ...status.phase };
    this.phase = text;
    for (const line of this.metrics.read()) {
      const row = metricsRowSchema.safeParse(parseLine(line));
      if (!row.success) continue;
      if (row.data.kind === 'step') yield { kind: 'step', row: row.data };
      else yield this.toEvaluation(row.data, status);
    }
    for (const line of this.samples.read()) {
      const row = sampleRowSchema.safeParse(parseLine(line));
      if (row.success) yield { kind: 'sample', row: row.data };
    }
    for (const name of this.listCheckpoints()) {
      if (this.checkpoints.has(name)) continue;
      this.checkpoints.add(name);
      const step = Number(checkpointNamePattern.exec(name)![1]);
      yield { kind: 'checkpoint', step, path: join(this.run, runNames.checkpoints, name) };
    }
  }

  /** Of step 0, once it was measured in this attempt. */
  get measuredBase(): number | null {
    return this.baseEvalLossNats;
  }

  private toEvaluation(
    row: Extract<JobEvent, { kind: 'evaluation' }>['row'],
    { bestStep, bestEvalLossNats }: RunStatus,
  ): JobEvent {
    if (row.step === 0) this.baseEvalLossNats = row.evalLossNats;
    return { kind: 'evaluation', row, bestStep, bestEvalLossNats };
  }

  private listCheckpoints(): string[] {
    const folder = join(this.run, runNames.checkpoints);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter(name => checkpointNamePattern.test(name))
      .sort();
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // torn by a kill, and closed by whoever went on
  }
}
