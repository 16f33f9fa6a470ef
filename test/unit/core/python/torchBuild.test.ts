import { describe, expect, it } from 'vitest';
import { chooseTorchBuild, findUnsupported, type MachineFacts } from '../../../../src/core/python/torchBuild.ts';

const bare: MachineFacts = {
  platform: 'linux',
  arch: 'x64',
  cards: [],
  nvidiaDriver: undefined,
  hasAmdCompute: false,
};
const amd = { name: 'AMD 0x7550', driver: 'amdgpu', memoryBytes: 16e9 };

describe('chooseTorchBuild', () => {
  it('takes the small CPU build where there is no card', () => {
    expect(chooseTorchBuild(bare).build).toBe('cpu');
    expect(
      chooseTorchBuild({ ...bare, cards: [{ name: 'Intel 0x3e92', driver: 'i915', memoryBytes: null }] }).build,
    ).toBe('cpu');
  });

  it('follows the driver of an NVIDIA card', () => {
    expect(chooseTorchBuild({ ...bare, nvidiaDriver: '580.82.07' }).build).toBe('cuda13');
    expect(chooseTorchBuild({ ...bare, nvidiaDriver: '570.12' })).toEqual({
      build: 'cuda12',
      reason: 'An NVIDIA card with driver 570.12 was found.',
    });
  });

  it("takes ROCm for an AMD card only with AMD's compute driver", () => {
    expect(chooseTorchBuild({ ...bare, cards: [amd] }).build).toBe('cpu');
    expect(chooseTorchBuild({ ...bare, cards: [amd], hasAmdCompute: true }).build).toBe('rocm');
  });

  it('takes Metal on Apple silicon', () => {
    expect(chooseTorchBuild({ ...bare, platform: 'darwin', arch: 'arm64' }).build).toBe('mps');
  });
});

describe('findUnsupported', () => {
  it('names builds that the machine cannot run, and Macs for which there is none', () => {
    expect(findUnsupported('cpu', bare)).toBeUndefined();
    expect(findUnsupported('mps', bare)).toContain('Apple');
    expect(findUnsupported('rocm', { ...bare, platform: 'win32' })).toContain('Linux');
    expect(findUnsupported('cpu', { ...bare, platform: 'darwin' })).toContain('Intel');
    expect(findUnsupported('cuda13', { ...bare, platform: 'darwin', arch: 'arm64' })).toContain('CUDA');
  });
});
