/** @file A prepared run -> the device it computes on, once that device has shown that it computes what the CPU does. */
import { TuneError } from '../../../shared/errors.ts';
import type { Device } from '../../../shared/hyperparameters.ts';
import { deviceLabels, probeDevice } from '../../runtime/devices.ts';
import { checkDevice } from '../../train/checkDevice.ts';
import type { JobEvent } from '../jobEvents.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';
import { engineSettings } from './createRunEngine.ts';

const onCpu = 'Set device to auto or cpu.';

/** @throws TuneError `unsupported-platform` when the device does not answer, `engine` when it differs from the CPU */
export async function* chooseRunDevice(
  prepared: Pick<PreparedRun, 'record' | 'model' | 'architecture' | 'start'>,
): AsyncGenerator<JobEvent, Device> {
  const { device } = prepared.record.hyperparameters;
  if (device === 'auto' || device === 'cpu') return 'cpu';
  const label = deviceLabels[device];
  yield { kind: 'phase', name: `checking ${label}`, done: 0, total: 1 };
  const probe = await probeDevice(device);
  if (!probe.ok) {
    throw new TuneError('unsupported-platform', `device: expected ${label} to answer, got ${probe.reason}`, {
      hint: probe.fix,
    });
  }
  const check = await checkDevice(engineSettings(prepared, 'cpu'), device);
  if (!check.ok) {
    throw new TuneError(
      'engine',
      `device: expected ${label} to give the CPU's loss and gradients, got ${check.reason}`,
      {
        hint: `${onCpu} A newer graphics driver may mend it.`,
      },
    );
  }
  const difference = check.largestDifference.toExponential(1);
  yield {
    kind: 'note',
    text: `Device: ${label}; loss and gradients of a small model agree with the CPU's (largest difference ${difference}).`,
  };
  return device;
}
