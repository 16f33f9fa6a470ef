/**
 * @file A prepared run -> the tensors that tell Python its rows and their order: all tokens one row after the other, and for
 * every step the rows of each pack, the packs of each micro-batch, the micro-batches, the learning rate.
 */
import type { TensorToWrite } from '../../formats/writeSafetensors.ts';
import { learningRateAt } from '../../optim/learningRate.ts';
import { countLabels, type EncodedRow, type TeacherTokens } from '../../text/packedBatch.ts';
import type { Pack } from '../../text/packRows.ts';
import type { TrainPlan } from '../../train/trainPlan.ts';
import type { BatchPlan } from '../prepare/planBatches.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';

type Sides = Pick<PreparedRun['sides'], 'train' | 'heldOut'>;

/** What a teacher said, row by row; undefined of rows that nothing reads. */
export interface TeacherRows {
  readonly topK: number;
  readRow(row: EncodedRow): TeacherTokens | undefined;
}

export function planTensors(
  { train, heldOut }: Sides,
  batches: BatchPlan,
  plan: TrainPlan,
  teacher?: TeacherRows,
): TensorToWrite[] {
  const steps = new PackList();
  const microBatches: number[] = [];
  const learningRates: number[] = [];
  for (let step = 1; step <= batches.totalSteps; step++) {
    const packs = batches.stepPacks(step);
    for (const microBatch of packs) steps.add(microBatch);
    microBatches.push(packs.length);
    learningRates.push(learningRateAt(step, plan.learningRate));
  }
  const evaluation = new PackList();
  for (const microBatch of batches.heldOutPacks()) evaluation.add(microBatch);
  return [
    ...rowTensors('train', train),
    ...rowTensors('heldOut', heldOut),
    ...(teacher ? [...teacherTensors('train', train, teacher), ...teacherTensors('heldOut', heldOut, teacher)] : []),
    ...steps.tensors('steps'),
    integers('steps.microBatches', microBatches),
    ...evaluation.tensors('evaluation'),
    numbers('learningRates', 'F64', [learningRates.length], [Float64Array.from(learningRates)]),
  ];
}

function rowTensors(side: string, rows: readonly EncodedRow[]): TensorToWrite[] {
  const tokens = rows.reduce((sum, row) => sum + row.tokenIds.length, 0);
  const pieces = (read: (row: EncodedRow) => ArrayBufferView) => () => rows.map(row => toBytes(read(row)));
  return [
    { name: `${side}.tokens`, dtype: 'I32', shape: [tokens], readPieces: pieces(row => row.tokenIds) },
    { name: `${side}.supervised`, dtype: 'U8', shape: [tokens], readPieces: pieces(row => row.supervised) },
    integers(
      `${side}.lengths`,
      rows.map(row => row.tokenIds.length),
    ),
  ];
}

/** Of each label, row after row, the teacher's top tokens and their log-probabilities. */
function teacherTensors(side: string, rows: readonly EncodedRow[], teacher: TeacherRows): TensorToWrite[] {
  const labels = rows.reduce((sum, row) => sum + countLabels(row), 0);
  const shape = [labels, teacher.topK];
  function* read(pick: (said: TeacherTokens) => ArrayBufferView): Generator<Uint8Array> {
    for (const row of rows) {
      const said = teacher.readRow(row);
      yield said === undefined ? new Uint8Array(4 * countLabels(row) * teacher.topK) : toBytes(pick(said));
    }
  }
  return [
    { name: `${side}.teacherTokens`, dtype: 'I32', shape, readPieces: () => read(said => said.ids) },
    { name: `${side}.teacherLogs`, dtype: 'F32', shape, readPieces: () => read(said => said.logProbabilities) },
  ];
}

/** Micro-batches of packs, flat. */
class PackList {
  private readonly rows: number[] = [];
  private readonly packLengths: number[] = [];
  private readonly packs: number[] = [];

  add(microBatch: readonly Pack[]): void {
    for (const pack of microBatch) {
      for (const row of pack) this.rows.push(row);
      this.packLengths.push(pack.length);
    }
    this.packs.push(microBatch.length);
  }

  tensors(name: string): TensorToWrite[] {
    return [
      integers(`${name}.rows`, this.rows),
      integers(`${name}.packLengths`, this.packLengths),
      integers(`${name}.packs`, this.packs),
    ];
  }
}

function integers(name: string, values: readonly number[]): TensorToWrite {
  return numbers(name, 'I32', [values.length], [Int32Array.from(values)]);
}

function numbers(name: string, dtype: 'I32' | 'F64', shape: number[], data: ArrayBufferView[]): TensorToWrite {
  return { name, dtype, shape, readPieces: () => data.map(toBytes) };
}

/** Little-endian machines alone run this program. */
function toBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
