import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GraphSession } from '../../../../../src/core/runtime/graphSession.ts';
import { loadOnnxRuntime } from '../../../../../src/core/runtime/onnxRuntime.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { makeTinyRun, runJob } from '../../../../support/tinyRun.ts';

/** A WebGPU that is the CPU with one operator in place of another. */
function pretendWebGpu(type?: string, by = ''): void {
  const backends = ['cpu', 'webgpu'].map(name => ({ name, bundled: true })) as never;
  vi.spyOn(loadOnnxRuntime(), 'listSupportedBackends').mockReturnValue(backends);
  const create = GraphSession.create.bind(GraphSession);
  vi.spyOn(GraphSession, 'create').mockImplementation((model, options = {}) => {
    if (options.device !== 'webgpu' || model instanceof Uint8Array) return create(model, options);
    const nodes = model.nodes.map(node => (node.type === type ? { ...node, type: by } : node));
    return create({ ...model, nodes }, { ...options, device: 'cpu' });
  });
}

const settings = { maxSteps: 3, learningRate: 0.02 } as const;
const makeRun = (device: 'webgpu' | 'cpu') => makeTinyRun(temporaryFolder(), { settings: { ...settings, device } });

afterEach(() => {
  vi.restoreAllMocks();
});

describe('chooseRunDevice', () => {
  it('trains on a device that computes as the CPU does, and notes that it was checked', async () => {
    const onCpu = await runJob(makeRun('cpu'));
    pretendWebGpu();
    const { events, end } = await runJob(makeRun('webgpu'));
    expect(end).toMatchObject({ reason: 'finished', step: 3, bestEvalLossNats: onCpu.end.bestEvalLossNats });
    expect(events).toContainEqual({ kind: 'note', text: expect.stringMatching(/WebGPU.*agree with the CPU's/) });
    const devices = vi.mocked(GraphSession.create).mock.calls.map(([, options]) => options?.device);
    expect(devices.filter(device => device === 'webgpu').length).toBeGreaterThanOrEqual(4);
  });

  it('refuses a device whose gradients are wrong, naming the operation, before anything is trained', async () => {
    pretendWebGpu('Sqrt', 'Abs');
    const run = makeRun('webgpu');
    await expect(runJob(run)).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringMatching(/^device: expected WebGPU to give.*operation rmsNormGradient differs/),
      hint: expect.stringContaining('auto or cpu'),
    });
    expect(existsSync(join(run, 'checkpoints')) ? readdirSync(join(run, 'checkpoints')) : []).toEqual([]);
    expect(existsSync(join(run, 'adapter'))).toBe(false);
  });

  it('refuses a device that the platform lacks before run.json is written', async () => {
    const backends = [{ name: 'cpu', bundled: true }] as never;
    vi.spyOn(loadOnnxRuntime(), 'listSupportedBackends').mockReturnValue(backends);
    const run = makeRun('webgpu');
    await expect(runJob(run)).rejects.toMatchObject({ code: 'unsupported-platform' });
    expect(existsSync(join(run, 'run.json'))).toBe(false);
  });
});
