/** @file What the loop measured -> rows of metrics.jsonl and samples.jsonl. */
import { join } from 'node:path';
import { type EvaluationRow, runNames, type SampleRow, type StepRow } from '../../../shared/runFolder.ts';
import { LineWriter } from '../../runs/lineWriter.ts';
import type { TrainEvent } from '../../train/trainLoop.ts';

type EventOf<K extends TrainEvent['kind']> = Extract<TrainEvent, { kind: K }>;

export class RunRows {
  private readonly attempt: number;
  private readonly metrics: LineWriter;
  private readonly samples: LineWriter;

  constructor(run: string, attempt: number) {
    this.attempt = attempt;
    this.metrics = new LineWriter(join(run, runNames.metrics));
    this.samples = new LineWriter(join(run, runNames.samples));
  }

  addStep({ kind, step, measures, ...measured }: EventOf<'step'>, peakRssBytes: number): StepRow {
    const row: StepRow = { kind, attempt: this.attempt, step, ...measured, peakRssBytes, ...measures };
    this.metrics.append(row);
    return row;
  }

  addEvaluation({ kind, step, best: _, measures, ...measured }: EventOf<'evaluation'>): EvaluationRow {
    const row: EvaluationRow = { kind, attempt: this.attempt, step, ...measured, ...measures };
    this.metrics.append(row);
    return row;
  }

  addSample(step: number, prompt: string, text: string): SampleRow {
    const row: SampleRow = { attempt: this.attempt, step, prompt, text };
    this.samples.append(row);
    return row;
  }

  /** Before a checkpoint is committed: a row must not be lost that a resumed run will not make again. */
  sync(): void {
    this.metrics.sync();
    this.samples.sync();
  }

  close(): void {
    this.metrics.close();
    this.samples.close();
  }
}
