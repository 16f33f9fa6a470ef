/**
 * @file Distillation's teacher: it reads every row once before training and says its likeliest tokens at each label, which
 * are kept in the run's cache; then it is released, so that teacher and student are never in memory together.
 */
import { join } from 'node:path';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import { runNames } from '../../../shared/runFolder.ts';
import type { TeacherTokens } from '../../text/packedBatch.ts';
import { Teacher } from '../../train/teacher.ts';
import { interruptible, throwIfInterrupted } from '../interruption.ts';
import type { JobEvent } from '../jobEvents.ts';
import { type CheckOptions, modelOptions } from '../prepare/checkRun.ts';
import { reopenModel } from '../prepare/openTrainingModel.ts';
import { type BatchPlan, completeBatches, listFirstBatches } from '../prepare/planBatches.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';
import { readArchitecture } from '../prepare/readArchitecture.ts';
import { specifyLoss } from '../train/specifyLoss.ts';
import { TeacherCache } from './teacherCache.ts';

const fileName = 'teacher.bin';

export interface TeacherPassInput extends Pick<CheckOptions, 'tinyFolder' | 'hub' | 'control'> {
  /** The run's folder. */
  readonly run: string;
}

/**
 * The run's batches with what the teacher says of their labels.
 * @throws JobInterrupted; TuneError `model-not-found` | `model-invalid` | `disk-full` | `not-writable`
 */
export async function* addTeacher(input: TeacherPassInput, prepared: PreparedRun): AsyncGenerator<JobEvent, BatchPlan> {
  const { architecture, batches, record } = prepared;
  const { vocabularySize } = architecture.config;
  const loss = specifyTeaching(record.hyperparameters, vocabularySize);
  const cache = openTeacherCache(input.run, prepared);
  const total = [...listFirstBatches(batches)].length;
  const whole = cache.countWhole();
  if (whole < total) {
    const { teacher, close } = await openTeacher(input, prepared, loss);
    try {
      let done = 0;
      for (const batch of listFirstBatches(batches)) {
        throwIfInterrupted(input.control);
        yield { kind: 'phase', name: 'asking the teacher', done, total };
        if (done++ < whole) continue;
        cache.append(batch, keepWithin(await teacher.describeLabels(batch), vocabularySize));
      }
    } finally {
      await teacher.dispose();
      close();
    }
  }
  return completeBatches(batches, batch => cache.complete(batch));
}

/** What the teacher said, or is about to say. */
export function openTeacherCache(run: string, { architecture, batches, record }: PreparedRun): TeacherCache {
  const { topK } = specifyTeaching(record.hyperparameters, architecture.config.vocabularySize);
  return new TeacherCache(join(run, runNames.cache, fileName), topK, listFirstBatches(batches));
}

function specifyTeaching(settings: Hyperparameters, vocabularySize: number) {
  const loss = specifyLoss(settings, vocabularySize);
  if (loss.kind !== 'distillation') throw new Error(`internal: teacher: expected a distillation, got ${loss.kind}`);
  return loss;
}

async function openTeacher(
  { tinyFolder, hub, control }: TeacherPassInput,
  { record }: PreparedRun,
  { topK, temperature }: { readonly topK: number; readonly temperature: number },
): Promise<{ teacher: Teacher; close: () => void }> {
  if (record.teacher === undefined)
    throw new Error('internal: distillation: expected a teacher in the recipe, got none');
  const { batchRows, contextTokens, threads }: Hyperparameters = record.hyperparameters;
  const options = { tinyFolder, hub, control, onPhase: () => undefined };
  const model = await interruptible(control, signal => reopenModel(record.teacher!, modelOptions(options, signal)));
  try {
    const settings = { model: readArchitecture(model), weights: model.weights, batchRows, contextTokens };
    const teacher = await Teacher.create({ ...settings, topK, temperature, threads: threads ?? 0 });
    return { teacher, close: () => model.close() };
  } catch (error) {
    model.close();
    throw error;
  }
}

/** Of practically no probability; its exponential is zero in float32. */
const impossible = -100;

/**
 * Tokens that the student has no logit for (rows with which a larger model pads its vocabulary) give way to ones that it
 * has, without any mass.
 */
function keepWithin(said: TeacherTokens, vocabularySize: number): TeacherTokens {
  const { topK, ids, logProbabilities } = said;
  for (let start = 0; start < ids.length; start += topK) {
    const own = ids.subarray(start, start + topK);
    if (own.every(id => id < vocabularySize)) continue;
    let free = 0;
    for (const [k, id] of own.entries()) {
      if (id < vocabularySize) continue;
      while (own.includes(free)) free++;
      own[k] = free;
      logProbabilities[start + k] = impossible;
    }
  }
  return said;
}
