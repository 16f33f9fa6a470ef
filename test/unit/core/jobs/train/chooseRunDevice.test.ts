import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { prepareRun } from '../../../../../src/core/jobs/prepare/prepareRun.ts';
import { chooseRunDevice } from '../../../../../src/core/jobs/train/chooseRunDevice.ts';
import { mayHaveGraphicsCard } from '../../../../../src/core/runtime/graphicsCards.ts';
import { GraphSession } from '../../../../../src/core/runtime/graphSession.ts';
import { loadOnnxRuntime } from '../../../../../src/core/runtime/onnxRuntime.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { makeTinyRun, runJob } from '../../../../support/tinyRun.ts';

vi.mock('../../../../../src/core/runtime/graphicsCards.ts', async load => ({
  ...(await load<object>()),
  mayHaveGraphicsCard: vi.fn(() => false),
}));

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

  describe('with auto', () => {
    const times = (webgpuMs: number) => async (_: unknown, device: string) => (device === 'cpu' ? 120 : webgpuMs);
    /** @param webgpuMs undefined: both are really measured */
    async function choose(run: string, webgpuMs: number | undefined, smallestParameters = 0) {
      const prepared = await prepareRun(run, {
        tinyFolder: '/nowhere',
        hub: undefined,
        control: { ask: () => 'continue' },
        onPhase: () => undefined,
      });
      const measure = vi.fn(times(webgpuMs ?? 0));
      const choosing = chooseRunDevice(run, prepared, {
        control: { ask: () => 'continue' },
        now: () => performance.now(),
        smallestParameters,
        ...(webgpuMs === undefined ? {} : { measure }),
      });
      const notes: string[] = [];
      for (;;) {
        const next = await choosing.next();
        if (next.done === true) {
          prepared.model.close();
          return { device: next.value, notes, measure };
        }
        if (next.value.kind === 'note') notes.push(next.value.text);
      }
    }
    const makeAuto = () => makeTinyRun(temporaryFolder(), { settings: { ...settings, device: 'auto' } });
    const pretendCard = () => vi.mocked(mayHaveGraphicsCard).mockReturnValue(true);

    it('takes a device that agrees and is faster, and returns to it without another trial', async () => {
      pretendWebGpu();
      pretendCard();
      const run = makeAuto();
      const first = await choose(run, 60);
      expect(first.device).toBe('webgpu');
      expect(first.notes).toEqual([expect.stringMatching(/agree with the CPU's.*2\.00 times as fast as the CPU/)]);
      const again = await choose(run, 600);
      expect(again.device).toBe('webgpu');
      expect(again.measure).not.toHaveBeenCalled();
    });

    it('stays on the CPU where the device is slower, and goes on there', async () => {
      pretendWebGpu();
      pretendCard();
      const run = makeAuto();
      const { device, notes } = await choose(run, 240);
      expect(device).toBe('cpu');
      expect(notes).toEqual([expect.stringMatching(/^Device: CPU, chosen because WebGPU trains 0\.50 times/)]);
      expect((await choose(run, 60)).device).toBe('cpu');
    });

    it('falls back to the CPU where the device differs, and says in which operation', async () => {
      pretendWebGpu('Sqrt', 'Abs');
      pretendCard();
      const { device, notes, measure } = await choose(makeAuto(), 60);
      expect(device).toBe('cpu');
      expect(notes).toEqual([expect.stringMatching(/^Device: not WebGPU: .*operation rmsNormGradient differs/)]);
      expect(measure).not.toHaveBeenCalled();
    });

    it('goes on on the CPU, and says so, where the device of the run is gone', async () => {
      pretendWebGpu();
      pretendCard();
      const run = makeAuto();
      await choose(run, 60);
      vi.restoreAllMocks();
      const backends = [{ name: 'cpu', bundled: true }] as never;
      vi.spyOn(loadOnnxRuntime(), 'listSupportedBackends').mockReturnValue(backends);
      const { device, notes } = await choose(run, 60);
      expect(device).toBe('cpu');
      expect(notes).toEqual([expect.stringContaining('expected WebGPU on this machine, got none')]);
    });

    it('times both on the model itself', async () => {
      pretendWebGpu();
      pretendCard();
      const { notes } = await choose(makeAuto(), undefined);
      expect(notes).toEqual([expect.stringMatching(/WebGPU trains \d+\.\d\d times as fast as the CPU/)]);
    });

    it('tries nothing for a small model', async () => {
      pretendWebGpu();
      pretendCard();
      const { device, notes, measure } = await choose(makeAuto(), 60, 1e9);
      expect({ device, notes }).toEqual({ device: 'cpu', notes: [] });
      expect(measure).not.toHaveBeenCalled();
    });
  });
});
