/**
 * @file Preference tuning's reference: the log-probabilities of every pair's answers under the model as it is before the
 * first step, where a fresh adapter adds nothing. They never change, so one forward pass over the pairs takes the
 * place of a second model; they are kept in the run's cache for when it goes on.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNames } from '../../../shared/runFolder.ts';
import { writeStagedFile } from '../../formats/stagedFile.ts';
import type { EncodedRow, PackedBatch } from '../../text/packedBatch.ts';
import type { TrainingEngine } from '../../train/trainingEngine.ts';
import type { TrainControl } from '../../train/trainLoop.ts';
import { throwIfInterrupted } from '../interruption.ts';
import type { JobEvent } from '../jobEvents.ts';
import { type BatchPlan, completeBatches, listFirstBatches } from '../prepare/planBatches.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';

const fileName = 'reference.bin';

/**
 * The run's batches with the reference in them.
 * @param engine with the parameters as they are before the first step
 * @throws JobInterrupted; TuneError `disk-full` | `not-writable`
 */
export async function* addReference(
  run: string,
  { sides, batches }: PreparedRun,
  engine: TrainingEngine,
  control: TrainControl,
): AsyncGenerator<JobEvent, BatchPlan> {
  const file = join(run, runNames.cache, fileName);
  const reference = new Reference([...sides.train, ...sides.heldOut]);
  if (!reference.load(file)) {
    const total = [...listFirstBatches(batches)].length;
    let done = 0;
    for (const batch of listFirstBatches(batches)) {
      throwIfInterrupted(control);
      yield { kind: 'phase', name: 'measuring the reference', done: done++, total };
      const { pairLogProbabilities } = await engine.evaluate(batch);
      reference.keep(batch, pairLogProbabilities!);
    }
    reference.save(file);
  }
  return completeBatches(batches, batch => reference.complete(batch));
}

/** Two log-probabilities a pair, in the order of the rows; NaN where the run never meets it. */
class Reference {
  private readonly places: ReadonlyMap<EncodedRow, number>;
  private readonly values: Float64Array;

  /** @param rows chosen and rejected answers in turn */
  constructor(rows: readonly EncodedRow[]) {
    this.places = new Map(rows.map((row, place) => [row, place]));
    this.values = new Float64Array(rows.length).fill(NaN);
  }

  keep({ rows }: PackedBatch, logProbabilities: Float64Array): void {
    // The chosen answers stand before the rejected ones, in the same order.
    for (let pair = 0; 2 * pair < logProbabilities.length; pair++) {
      const place = this.places.get(rows![pair]!)!;
      this.values.set(logProbabilities.subarray(2 * pair, 2 * pair + 2), place);
    }
  }

  complete(batch: PackedBatch): PackedBatch {
    const { rows, preference } = batch;
    const reference = new Float64Array(preference!.reference.length);
    for (let pair = 0; 2 * pair < reference.length; pair++) {
      const place = this.places.get(rows![pair]!)!;
      reference.set(this.values.subarray(place, place + 2), 2 * pair);
    }
    if (reference.some(Number.isNaN))
      throw new Error('internal: reference: expected every pair of a batch, got one without');
    return { ...batch, preference: { ...preference!, reference } };
  }

  /** False when there is no file, or one of another size. */
  load(file: string): boolean {
    if (!existsSync(file)) return false;
    const bytes = readFileSync(file);
    if (bytes.length !== this.values.byteLength) return false;
    new Uint8Array(this.values.buffer).set(bytes);
    return true;
  }

  save(file: string): void {
    mkdirSync(join(file, '..'), { recursive: true });
    writeStagedFile(file, [new Uint8Array(this.values.buffer)]);
  }
}
