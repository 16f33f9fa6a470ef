/** @file This machine -> every device that a run may name: whether it is ready, by what version, and what is missing. */
import { totalmem } from 'node:os';
import { type Device, devices } from '../../shared/hyperparameters.ts';
import { deviceHomes, deviceLabels, listCarriedDevices, probeDevice } from './devices.ts';
import { type GraphicsCard, listGraphicsCards } from './graphicsCards.ts';
import { loadOnnxRuntime } from './onnxRuntime.ts';

export interface DeviceReport {
  readonly device: Device;
  readonly label: string;
  readonly state: 'ready' | 'does not answer' | 'not on this platform';
  /** Of the provider; null where there is none. */
  readonly version: string | null;
  /** Graphics cards it may compute on, as far as the system tells. */
  readonly cards: readonly GraphicsCard[];
  /** Null where nobody tells. */
  readonly memoryBytes: number | null;
  /** What is missing and what to do; null when it is ready. */
  readonly missing: string | null;
}

/** @throws TuneError where ONNX Runtime does not load */
export async function describeDevices(): Promise<DeviceReport[]> {
  const { versions } = loadOnnxRuntime().env;
  const version = `ONNX Runtime ${versions.node ?? versions.common}`;
  const carried = listCarriedDevices();
  const reports: DeviceReport[] = [];
  for (const device of devices) {
    const label = deviceLabels[device];
    if (!carried.includes(device)) {
      const missing = `${label} is there on ${deviceHomes[device]}.`;
      reports.push({
        device,
        label,
        state: 'not on this platform',
        version: null,
        cards: [],
        memoryBytes: null,
        missing,
      });
      continue;
    }
    const cards = device === 'cpu' ? [] : listGraphicsCards();
    const memoryBytes = device === 'cpu' ? totalmem() : sumMemory(cards);
    const probe = await probeDevice(device);
    const missing = probe.ok ? null : `${probe.reason}. ${probe.fix}`;
    reports.push({
      device,
      label,
      state: probe.ok ? 'ready' : 'does not answer',
      version,
      cards,
      memoryBytes,
      missing,
    });
  }
  return reports;
}

/** What a device's cards have together; null where nobody tells, and for the CPU. */
export function countDeviceMemory(device: Device): number | null {
  return device === 'cpu' ? null : sumMemory(listGraphicsCards());
}

function sumMemory(cards: readonly GraphicsCard[]): number | null {
  const known = cards.flatMap(({ memoryBytes }) => (memoryBytes === null ? [] : [memoryBytes]));
  return known.length === 0 ? null : known.reduce((sum, bytes) => sum + bytes, 0);
}
