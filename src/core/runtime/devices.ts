/**
 * @file Where graphs can run: the execution providers that the ONNX Runtime of this platform carries, and whether one
 * of them answers. Operators that a provider lacks run on the CPU, by ONNX Runtime's own doing.
 */
import { TuneError } from '../../shared/errors.ts';
import { type Device, devices } from '../../shared/hyperparameters.ts';
import type { OnnxModel } from '../formats/onnxModel.ts';
import { GraphSession } from './graphSession.ts';
import { loadOnnxRuntime } from './onnxRuntime.ts';
import { makeTensor } from './tensor.ts';

export const deviceLabels = {
  cpu: 'CPU',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'CoreML',
} as const satisfies Record<Device, string>;

export const deviceHomes = {
  cpu: 'every platform',
  webgpu: 'Linux x64, Windows and macOS on Apple silicon',
  dml: 'Windows',
  coreml: 'macOS on Apple silicon',
} as const satisfies Record<Device, string>;

/** What a device that is carried but does not answer lacks. */
const needs = {
  cpu: 'Install the program again.',
  webgpu:
    'It needs a graphics driver: on Linux the Vulkan loader (libvulkan1) and the driver of the card (mesa-vulkan-drivers, or one by its maker), on Windows Direct3D 12, on macOS Metal. Until then use device=cpu.',
  dml: 'It needs Windows 10 1903 or later and a Direct3D 12 driver of the graphics card. Until then use device=cpu.',
  coreml: 'It needs macOS 13 or later. Until then use device=cpu.',
} as const satisfies Record<Device, string>;

/** The devices whose provider this platform's ONNX Runtime carries, CPU first. @throws TuneError where it has none at all */
export function listCarriedDevices(): Device[] {
  const carried = loadOnnxRuntime()
    .listSupportedBackends()
    .filter(({ bundled }) => bundled)
    .map(({ name }) => name);
  return devices.filter(device => carried.includes(device));
}

/** @throws TuneError `unsupported-platform` when this platform's ONNX Runtime has no provider for the device */
export function requireCarriedDevice(device: Device): void {
  const carried = listCarriedDevices();
  if (carried.includes(device)) return;
  throw new TuneError(
    'unsupported-platform',
    `device: expected one of ${carried.join(', ')} on ${process.platform}-${process.arch}, got ${device}`,
    { hint: `${deviceLabels[device]} is there on ${deviceHomes[device]}. Here set device to ${carried.join(' or ')}.` },
  );
}

const doubler: OnnxModel = {
  nodes: [{ type: 'Add', domain: '', inputs: ['x', 'x'], outputs: ['y'], attributes: {} }],
  initializers: [],
  inputs: [{ name: 'x', elementType: 'float32', shape: [4] }],
  outputs: [{ name: 'y', elementType: 'float32', shape: [4] }],
};

type DeviceProbe = { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly fix: string };

/** Whether the device adds two numbers; if not, what it said and what it needs. */
export async function probeDevice(device: Device): Promise<DeviceProbe> {
  try {
    const session = await GraphSession.create(doubler, { device, threads: 1 });
    try {
      const { y } = await session.run({ x: makeTensor('float32', Float32Array.of(1, 2, 3, 4), [4]) });
      const got = Array.from(y!.data as Float32Array);
      if (got.join() === '2,4,6,8') return { ok: true };
      return {
        ok: false,
        reason: `expected 2,4,6,8, got ${got}`,
        fix: 'Update the graphics driver, or use device=cpu.',
      };
    } finally {
      await session.release();
    }
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    return { ok: false, reason: shorten(error.message), fix: needs[device] };
  }
}

/** The library puts file, line and signature before what it has to say. */
function shorten(message: string): string {
  return message.replace(/^.*\bwas false\.\s*/s, '').trim();
}
