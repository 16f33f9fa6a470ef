/**
 * @file A prepared run -> the device it computes on. One that is named must show that it computes what the CPU does. With
 * `auto`, what is there is tried: it must agree with the CPU too, and train this very model faster. The choice is kept in
 * the run's folder, so that a resumed run computes where it began.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TuneError } from '../../../shared/errors.ts';
import { type Device, devices } from '../../../shared/hyperparameters.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { plainLoss } from '../../models/lossSpec.ts';
import { countParameters } from '../../models/measureModel.ts';
import { readJson, writeJson } from '../../runs/jsonFile.ts';
import { countDeviceMemory } from '../../runtime/describeDevices.ts';
import { deviceLabels, listCarriedDevices, probeDevice } from '../../runtime/devices.ts';
import { mayHaveGraphicsCard } from '../../runtime/graphicsCards.ts';
import { checkDevice } from '../../train/checkDevice.ts';
import { measureSpeed } from '../../train/measureSpeed.ts';
import type { TrainControl } from '../../train/trainLoop.ts';
import { throwIfInterrupted } from '../interruption.ts';
import type { JobEvent } from '../jobEvents.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';
import { engineSettings } from './createRunEngine.ts';

type DeviceSource = Pick<PreparedRun, 'record' | 'model' | 'architecture' | 'start' | 'batches'>;

export interface DeviceOptions {
  readonly control: Pick<TrainControl, 'ask'>;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Smaller models train on the CPU without a trial: it would take longer than what it could save. */
  readonly smallestParameters?: number;
  /** Milliseconds of a batch there and back. */
  readonly measure?: (prepared: DeviceSource, device: Device) => Promise<number>;
}

/** How much faster than the CPU a device must be to be taken. */
export const worthwhileSpeedup = 1.2;
export const smallestTried = 32 * 2 ** 20;
const choiceSchema = z.strictObject({ device: z.enum(devices) });

/**
 * @param run its folder
 * @throws TuneError when a named device does not answer (`unsupported-platform`) or differs from the CPU (`engine`)
 */
export async function* chooseRunDevice(
  run: string,
  prepared: DeviceSource,
  options: DeviceOptions,
): AsyncGenerator<JobEvent, Device> {
  const { device } = prepared.record.hyperparameters;
  if (device === 'cpu') return 'cpu';
  if (device !== 'auto') {
    const examined = yield* examineDevice(prepared, device);
    if (!examined.ok) throw examined.error;
    yield { kind: 'note', text: `Device: ${examined.text}.` };
    return device;
  }
  const file = join(run, runNames.device);
  const before = existsSync(file) ? readJson(file, choiceSchema).device : undefined;
  const chosen = before === undefined ? yield* tryDevices(prepared, options) : yield* returnTo(before, prepared);
  if (before === undefined) writeJson(file, { device: chosen });
  return chosen;
}

/** The device of the run so far, if it still computes what the CPU does. */
async function* returnTo(device: Device, prepared: DeviceSource): AsyncGenerator<JobEvent, Device> {
  if (device === 'cpu') return 'cpu';
  const examined = listCarriedDevices().includes(device) ? yield* examineDevice(prepared, device) : undefined;
  if (examined?.ok) {
    yield { kind: 'note', text: `Device: ${examined.text}.` };
    return device;
  }
  const why = examined?.error.message ?? `device: expected ${deviceLabels[device]} on this machine, got none`;
  yield { kind: 'note', text: `Device: the run goes on on the CPU, whose numbers differ slightly (${why}).` };
  return 'cpu';
}

/** The first device that agrees with the CPU and is faster; what keeps the others from it is told. */
async function* tryDevices(
  prepared: DeviceSource,
  { control, now, smallestParameters = smallestTried, measure = makeMeasure(control, now) }: DeviceOptions,
): AsyncGenerator<JobEvent, Device> {
  if (countParameters(prepared.architecture) < smallestParameters || !mayHaveGraphicsCard()) return 'cpu';
  let cpuMs: number | undefined;
  for (const device of listCarriedDevices().filter(other => other !== 'cpu')) {
    const label = deviceLabels[device];
    const memory = countDeviceMemory(device);
    if (memory !== null && memory < prepared.record.forecast.peakMemoryBytes) {
      yield { kind: 'note', text: `Device: not ${label}, which has too little memory for this run.` };
      continue;
    }
    const examined = yield* examineDevice(prepared, device);
    if (!examined.ok) {
      yield { kind: 'note', text: `Device: not ${label}: ${examined.error.message}.` };
      continue;
    }
    throwIfInterrupted(control);
    yield { kind: 'phase', name: `timing ${label}`, done: 0, total: 1 };
    try {
      cpuMs ??= await measure(prepared, 'cpu');
      const speedup = cpuMs / (await measure(prepared, device));
      const told = `${label} trains ${speedup.toFixed(2)} times as fast as the CPU`;
      if (speedup >= worthwhileSpeedup) {
        yield { kind: 'note', text: `Device: ${examined.text}; chosen because ${told}.` };
        return device;
      }
      yield { kind: 'note', text: `Device: CPU, chosen because ${told}; device=${device} takes it nevertheless.` };
    } catch (error) {
      if (!(error instanceof TuneError)) throw error;
      yield { kind: 'note', text: `Device: not ${label}: ${error.message}.` };
    }
  }
  return 'cpu';
}

function makeMeasure(
  control: DeviceOptions['control'],
  now: () => number,
): (prepared: DeviceSource, device: Device) => Promise<number> {
  return async (prepared, device) => {
    const [batch] = prepared.batches.stepBatches(1).batches;
    const settings = { ...engineSettings(prepared, device), loss: plainLoss };
    return (await measureSpeed(settings, batch!, { now, check: () => throwIfInterrupted(control) })).batchMs;
  };
}

type Examined = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: TuneError };

/** Whether the device answers and computes what the CPU computes. */
async function* examineDevice(prepared: DeviceSource, device: Device): AsyncGenerator<JobEvent, Examined> {
  const label = deviceLabels[device];
  yield { kind: 'phase', name: `checking ${label}`, done: 0, total: 1 };
  const probe = await probeDevice(device);
  if (!probe.ok) {
    const message = `device: expected ${label} to answer, got ${probe.reason}`;
    return { ok: false, error: new TuneError('unsupported-platform', message, { hint: probe.fix }) };
  }
  const check = await checkDevice(engineSettings(prepared, device), device);
  if (!check.ok) {
    const message = `device: expected ${label} to give the CPU's loss and gradients, got ${check.reason}`;
    const hint = 'Set device to auto or cpu. A newer graphics driver may mend it.';
    return { ok: false, error: new TuneError('engine', message, { hint }) };
  }
  const difference = check.largestDifference.toExponential(1);
  const text = `${label}; loss and gradients of a small model agree with the CPU's (largest difference ${difference})`;
  return { ok: true, text };
}
