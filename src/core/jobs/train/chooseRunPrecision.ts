/**
 * @file A prepared run and its device -> whether its steps multiply in half precision. Only a device other than the CPU
 * may: it must give the CPU's loss and gradients, as closely as half precision can. With `auto` it must also train this
 * very model faster so. The choice is kept in the run's folder, so that a resumed run computes
 * as it began, unless the device it resumes on gives other numbers in half precision.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TuneError } from '../../../shared/errors.ts';
import type { Device } from '../../../shared/hyperparameters.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { plainLoss } from '../../models/lossSpec.ts';
import { countParameters } from '../../models/measureModel.ts';
import { readJson, writeJson } from '../../runs/jsonFile.ts';
import { deviceLabels } from '../../runtime/devices.ts';
import { checkDevice } from '../../train/checkDevice.ts';
import { measureSpeed } from '../../train/measureSpeed.ts';
import type { TrainControl } from '../../train/trainLoop.ts';
import { throwIfInterrupted } from '../interruption.ts';
import type { JobEvent } from '../jobEvents.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';
import { smallestTried, worthwhileSpeedup } from './chooseRunDevice.ts';
import { engineSettings } from './createRunEngine.ts';

type PrecisionSource = Pick<PreparedRun, 'record' | 'model' | 'architecture' | 'start' | 'batches'>;

export interface PrecisionOptions {
  readonly control: Pick<TrainControl, 'ask'>;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Smaller models are not tried: it would take longer than what it could save. */
  readonly smallestParameters?: number;
  /** Milliseconds of a batch there and back. */
  readonly measure?: (halfPrecision: boolean) => Promise<number>;
}

const choiceSchema = z.strictObject({ halfPrecision: z.boolean() });

/**
 * @param run its folder
 * @throws TuneError `engine` when half precision is asked for and the device differs from the CPU
 */
export async function* chooseRunPrecision(
  run: string,
  prepared: PrecisionSource,
  device: Device,
  options: PrecisionOptions,
): AsyncGenerator<JobEvent, boolean> {
  const { precision } = prepared.record.hyperparameters;
  if (precision === 'float32' || device === 'cpu') return false;
  if (precision !== 'auto') {
    const reason = yield* findDifference(prepared, device);
    if (reason !== undefined) {
      const label = deviceLabels[device];
      throw new TuneError('engine', `precision: expected ${label} to compute float16 as the CPU does, got ${reason}`, {
        hint: 'Set precision to auto or float32. A newer graphics driver may mend it.',
      });
    }
    yield { kind: 'note', text: 'Precision: products in float16, with a scaled loss.' };
    return true;
  }
  const file = join(run, runNames.precision);
  const halfPrecision = existsSync(file)
    ? readJson(file, choiceSchema).halfPrecision && (yield* standsByHalfPrecision(prepared, device))
    : yield* tryHalfPrecision(prepared, device, options);
  writeJson(file, { halfPrecision });
  return halfPrecision;
}

/** Of a run that began in half precision: whether this device, or its driver, still computes it. */
async function* standsByHalfPrecision(prepared: PrecisionSource, device: Device): AsyncGenerator<JobEvent, boolean> {
  const reason = yield* findDifference(prepared, device);
  if (reason === undefined) return true;
  const why = `since in float16 ${deviceLabels[device]} now gives ${reason}`;
  const differs = 'its numbers will differ slightly from those of a run without interruption';
  yield { kind: 'note', text: `Precision: the run began in float16 and goes on in float32, ${why}; ${differs}.` };
  return false;
}

async function* tryHalfPrecision(
  prepared: PrecisionSource,
  device: Device,
  options: PrecisionOptions,
): AsyncGenerator<JobEvent, boolean> {
  const { control, now, smallestParameters = smallestTried } = options;
  if (countParameters(prepared.architecture) < smallestParameters) return false;
  const reason = yield* findDifference(prepared, device);
  if (reason !== undefined) {
    yield { kind: 'note', text: `Precision: float32, since in float16 ${deviceLabels[device]} gives ${reason}.` };
    return false;
  }
  throwIfInterrupted(control);
  yield { kind: 'phase', name: 'timing float16', done: 0, total: 1 };
  const measure = options.measure ?? (half => measureBatchMs(prepared, device, half, control, now));
  try {
    const speedup = (await measure(false)) / (await measure(true));
    const told = `float16 trains ${speedup.toFixed(2)} times as fast as float32 on ${deviceLabels[device]}`;
    const isFaster = speedup >= worthwhileSpeedup;
    yield { kind: 'note', text: `Precision: ${isFaster ? 'products in float16' : 'float32'}, chosen because ${told}.` };
    return isFaster;
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    yield { kind: 'note', text: `Precision: float32: ${error.message}.` };
    return false;
  }
}

/** What is wrong with half precision on the device; undefined where nothing is. */
async function* findDifference(
  prepared: PrecisionSource,
  device: Device,
): AsyncGenerator<JobEvent, string | undefined> {
  yield { kind: 'phase', name: 'checking float16', done: 0, total: 1 };
  const check = await checkDevice({ ...engineSettings(prepared, device), halfPrecision: true }, device);
  return check.ok ? undefined : check.reason;
}

async function measureBatchMs(
  prepared: PrecisionSource,
  device: Device,
  halfPrecision: boolean,
  control: PrecisionOptions['control'],
  now: () => number,
): Promise<number> {
  const [batch] = prepared.batches.stepBatches(1).batches;
  const settings = { ...engineSettings(prepared, device), loss: plainLoss, halfPrecision };
  return (await measureSpeed(settings, batch!, { now, check: () => throwIfInterrupted(control) })).batchMs;
}
