import { afterEach, describe, expect, it, vi } from 'vitest';
import { listCarriedDevices, probeDevice, requireCarriedDevice } from '../../../../src/core/runtime/devices.ts';
import { loadOnnxRuntime } from '../../../../src/core/runtime/onnxRuntime.ts';

function pretendCarried(...names: string[]): void {
  const backends = names.map(name => ({ name, bundled: true })) as never;
  vi.spyOn(loadOnnxRuntime(), 'listSupportedBackends').mockReturnValue(backends);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('listCarriedDevices', () => {
  it('has the CPU first on every platform', () => {
    expect(listCarriedDevices()[0]).toBe('cpu');
  });

  it('leaves out what runs elsewhere or is not bundled', () => {
    const backends = [
      { name: 'webgpu', bundled: true },
      { name: 'cuda', bundled: true },
      { name: 'cpu', bundled: true },
      { name: 'coreml', bundled: false },
    ] as never;
    vi.spyOn(loadOnnxRuntime(), 'listSupportedBackends').mockReturnValue(backends);
    expect(listCarriedDevices()).toEqual(['cpu', 'webgpu']);
  });
});

describe('requireCarriedDevice', () => {
  it('refuses by name what the platform lacks, and says what is there', () => {
    pretendCarried('cpu', 'dml');
    expect(() => requireCarriedDevice('dml')).not.toThrow();
    expect(() => requireCarriedDevice('coreml')).toThrow(
      expect.objectContaining({
        code: 'unsupported-platform',
        message: expect.stringMatching(/^device: expected one of cpu, dml on .*, got coreml$/),
        hint: expect.stringContaining('Here set device to cpu or dml'),
      }),
    );
  });
});

describe('probeDevice', () => {
  it('finds the CPU well', async () => {
    expect(await probeDevice('cpu')).toEqual({ ok: true });
  });

  it('says what went wrong and what the device needs', async () => {
    vi.spyOn(loadOnnxRuntime().InferenceSession, 'create').mockRejectedValue(
      new Error('/a/b.cc:136 f() status == Success was false. No supported adapters\n'),
    );
    expect(await probeDevice('webgpu')).toEqual({
      ok: false,
      reason: 'No supported adapters',
      fix: expect.stringContaining('Vulkan'),
    });
  });
});
