/**
 * @file A run's settings and one of its batches -> how long its steps take on this machine, from a few seconds of the
 * real engine on a model of one, then two layers and on two sizes of the vocabulary. What a layer and a row of the
 * vocabulary add is added as often as the whole model has them: a step's time is linear in both. Every layer is measured with
 * adapters, whatever `layersToTransform` leaves out: with it the time is an upper bound.
 */
import type { TensorInfo, TensorSource } from '../formats/tensorSource.ts';
import type { Model } from '../models/findArchitecture.ts';
import { AdamW } from '../optim/adamW.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { createTrainingEngine, type TrainingEngineSettings } from './createTrainingEngine.ts';
import { Teacher, type TeacherSettings } from './teacher.ts';

export interface MeasuredSpeed {
  /** Forward and backward pass of one batch. */
  readonly batchMs: number;
  /** Clipping and AdamW. */
  readonly updateMs: number;
  readonly evaluationBatchMs: number;
}

export interface SpeedClock {
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Asked between runs; ends the measurement by what it throws. */
  readonly check: () => void;
}

/** Each work is done at least twice after a first time that does not count, and again while this is not used up. */
const budgetMs = 500;
const maxRepeats = 5;
/** Rows of the vocabulary that the small models have. */
const vocabularySizes = [2048, 6144] as const;
const optimizerSettings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** @throws TuneError as the engine does; what `clock.check` throws */
export async function measureSpeed(
  settings: TrainingEngineSettings,
  batch: PackedBatch,
  clock: SpeedClock,
): Promise<MeasuredSpeed> {
  return extendSmall(settings.model, size => measureSmall(settings, size, batch, clock));
}

/** Milliseconds in which a teacher reads one batch. @throws as `measureSpeed` */
export async function measureTeacherMs(
  settings: TeacherSettings,
  batch: PackedBatch,
  clock: SpeedClock,
): Promise<number> {
  const { readMs } = await extendSmall(settings.model, async size => {
    const teacher = await Teacher.create({ ...settings, ...makeSmall(settings, size) });
    try {
      const small = wrapTokens(batch, size);
      return { readMs: await timeRepeatedly(() => teacher.describeLabels(small), clock) };
    } finally {
      await teacher.dispose();
    }
  });
  return readMs;
}

/** Times of the whole model, from those of small ones. */
async function extendSmall<Times extends { readonly [Part in keyof Times]: number }>(
  { config: { layers, vocabularySize } }: Model,
  measure: (size: SmallSize) => Promise<Times>,
): Promise<Times> {
  const [few, more] = vocabularySizes.map(size => Math.min(size, vocabularySize)) as [number, number];
  const one = await measure({ layers: 1, vocabularySize: few });
  const two = layers > 1 ? await measure({ layers: 2, vocabularySize: few }) : one;
  const wide = more > few ? await measure({ layers: 1, vocabularySize: more }) : one;
  const wider = more > few ? (vocabularySize - few) / (more - few) : 0;
  const extend = (part: keyof Times): number =>
    one[part] + (layers - 1) * Math.max(0, two[part] - one[part]) + wider * Math.max(0, wide[part] - one[part]);
  return Object.fromEntries((Object.keys(one) as (keyof Times)[]).map(part => [part, extend(part)])) as Times;
}

interface SmallSize {
  readonly layers: number;
  readonly vocabularySize: number;
}

async function measureSmall(
  settings: TrainingEngineSettings,
  size: SmallSize,
  batch: PackedBatch,
  clock: SpeedClock,
): Promise<MeasuredSpeed> {
  const engine = await createTrainingEngine({ ...settings, ...makeSmall(settings, size), layersToTransform: [] });
  try {
    const small = wrapTokens(batch, size);
    const optimizer = new AdamW(engine.parameters, optimizerSettings);
    return {
      batchMs: await timeRepeatedly(() => engine.accumulate(small, 1 / Math.max(1, batch.labels.length)), clock),
      updateMs: await timeRepeatedly(() => optimizer.update(1, 0, 1), clock),
      evaluationBatchMs: await timeRepeatedly(() => engine.evaluate(small), clock),
    };
  } finally {
    await engine.dispose();
  }
}

interface SizedModel {
  readonly model: Model;
  readonly weights: TensorSource;
}

function makeSmall({ model, weights }: SizedModel, size: SmallSize): SizedModel {
  return {
    model: { ...model, config: { ...model.config, ...size } },
    weights: firstRows(weights, model, size.vocabularySize),
  };
}

function wrapTokens(batch: PackedBatch, { vocabularySize }: SmallSize): PackedBatch {
  const wrap = (ids: Int32Array): Int32Array => ids.map(id => id % vocabularySize);
  const { teacher } = batch;
  return {
    ...batch,
    tokenIds: wrap(batch.tokenIds),
    labels: wrap(batch.labels),
    ...(teacher && { teacher: { ...teacher, ids: wrap(teacher.ids) } }),
  };
}

/** The median of several times; the first, which warms up, does not count. */
async function timeRepeatedly(work: () => unknown, { now, check }: SpeedClock): Promise<number> {
  const times: number[] = [];
  const startMs = now();
  while (times.length < 3 || (times.length <= maxRepeats && now() - startMs < budgetMs)) {
    check();
    const beforeMs = now();
    await work();
    times.push(now() - beforeMs);
  }
  const counted = times.slice(1).sort((a, b) => a - b);
  return counted[Math.floor((counted.length - 1) / 2)]!;
}

/** The same weights with an embedding and a head of `vocabularySize` rows. */
function firstRows(weights: TensorSource, { architecture, config }: Model, vocabularySize: number): TensorSource {
  const { embedding, head } = architecture.describeParameters(config);
  const tables = new Set([embedding.name, head.name]);
  const info = (name: string): TensorInfo => {
    const whole = weights.info(name);
    if (!tables.has(name)) return whole;
    const storedBytes = (whole.storedBytes / whole.shape[0]!) * vocabularySize;
    return { ...whole, shape: [vocabularySize, ...whole.shape.slice(1)], storedBytes };
  };
  return {
    names: weights.names,
    info,
    readFloat32: name =>
      tables.has(name) ? weights.readFloat32Rows(name, 0, vocabularySize) : weights.readFloat32(name),
    readFloat32Rows: (name, firstRow, rowCount) => weights.readFloat32Rows(name, firstRow, rowCount),
    readBytes: (name, rows) =>
      weights.readBytes(name, rows ?? (tables.has(name) ? { first: 0, count: vocabularySize } : undefined)),
    close: () => undefined,
  };
}
