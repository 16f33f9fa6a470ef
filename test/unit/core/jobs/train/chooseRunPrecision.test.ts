import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { prepareRun } from '../../../../../src/core/jobs/prepare/prepareRun.ts';
import { chooseRunPrecision } from '../../../../../src/core/jobs/train/chooseRunPrecision.ts';
import { GraphSession } from '../../../../../src/core/runtime/graphSession.ts';
import { loadOnnxRuntime } from '../../../../../src/core/runtime/onnxRuntime.ts';
import type { Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { makeTinyRun, runJob } from '../../../../support/tinyRun.ts';

/** A WebGPU that is the CPU, with one operator in place of another where it computes in half precision. */
function pretendWebGpu(type?: string, by = ''): void {
  const backends = ['cpu', 'webgpu'].map(name => ({ name, bundled: true })) as never;
  vi.spyOn(loadOnnxRuntime(), 'listSupportedBackends').mockReturnValue(backends);
  const create = GraphSession.create.bind(GraphSession);
  vi.spyOn(GraphSession, 'create').mockImplementation((model, options = {}) => {
    const onCpu = { ...options, device: 'cpu' } as const;
    if (!options.halfPrecision || model instanceof Uint8Array) return create(model, onCpu);
    const nodes = model.nodes.map(node => (node.type === type ? { ...node, type: by } : node));
    return create({ ...model, nodes }, onCpu);
  });
}

function makeRun(settings: Partial<Hyperparameters>): string {
  return makeTinyRun(temporaryFolder(), {
    settings: { maxSteps: 3, learningRate: 0.02, device: 'webgpu', ...settings },
  });
}

async function choose(run: string, times = { single: 120, half: 60 }, smallestParameters = 0) {
  const control = { ask: () => 'continue' as const };
  const prepared = await prepareRun(run, { tinyFolder: '/nowhere', hub: undefined, control, onPhase: () => undefined });
  const measure = vi.fn(async (half: boolean) => (half ? times.half : times.single));
  const options = { control, now: () => 0, smallestParameters, measure };
  const choosing = chooseRunPrecision(run, prepared, 'webgpu', options);
  const notes: string[] = [];
  try {
    for (;;) {
      const next = await choosing.next();
      if (next.done === true) return { halfPrecision: next.value, notes, measure };
      if (next.value.kind === 'note') notes.push(next.value.text);
    }
  } finally {
    prepared.model.close();
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('chooseRunPrecision', () => {
  it('trains in half precision where that is asked for, and says the scale of the loss in the metrics', async () => {
    pretendWebGpu();
    const run = makeRun({ precision: 'float16' });
    const { events, end } = await runJob(run);
    expect(end).toMatchObject({ reason: 'finished', step: 3 });
    expect(events).toContainEqual({ kind: 'note', text: expect.stringMatching(/^Precision: products in float16/) });
    const rows = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    const steps = rows.filter(({ kind }) => kind === 'step');
    expect(steps.map(({ lossScale, isSkipped }) => [lossScale, isSkipped])).toEqual(Array(3).fill([65_536, false]));
  });

  it('refuses half precision that computes something else, naming the operation', async () => {
    pretendWebGpu('Sigmoid', 'Tanh');
    await expect(runJob(makeRun({ precision: 'float16' }))).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringMatching(
        /^precision: expected WebGPU to compute float16.*operation gatedActivation differs/,
      ),
    });
  });

  it('refuses half precision on the CPU, before anything is read', async () => {
    await expect(runJob(makeRun({ device: 'cpu', precision: 'float16', engine: 'embedded' }))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/^precision: expected auto or float32 with the embedded engine, got float16/),
    });
  });

  it('takes it with auto where it is faster, and keeps the choice without timing again', async () => {
    pretendWebGpu();
    const run = makeRun({});
    const first = await choose(run);
    expect(first.halfPrecision).toBe(true);
    expect(first.notes).toEqual([
      expect.stringMatching(/chosen because float16 trains 2\.00 times as fast as float32/),
    ]);
    const again = await choose(run, { single: 1, half: 100 });
    expect(again).toMatchObject({ halfPrecision: true, notes: [] });
    expect(again.measure).not.toHaveBeenCalled();
  });

  it('goes on in float32 with auto where half precision computes something else by then, and stays there', async () => {
    pretendWebGpu();
    const run = makeRun({});
    expect(await choose(run)).toMatchObject({ halfPrecision: true });
    vi.restoreAllMocks();
    pretendWebGpu('Sigmoid', 'Tanh');
    const again = await choose(run);
    expect(again.halfPrecision).toBe(false);
    expect(again.notes).toEqual([
      expect.stringMatching(/goes on in float32, since in float16 WebGPU now gives .*will differ slightly/),
    ]);
    expect(again.measure).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    pretendWebGpu();
    expect(await choose(run)).toMatchObject({ halfPrecision: false, notes: [] });
  });

  it('leaves it with auto where it is slower, wrong, or the model small', async () => {
    pretendWebGpu();
    expect(await choose(makeRun({}), { single: 60, half: 60 })).toMatchObject({ halfPrecision: false });
    expect(await choose(makeRun({}), undefined, 1e9)).toMatchObject({ halfPrecision: false, notes: [] });
    vi.restoreAllMocks();
    pretendWebGpu('Sigmoid', 'Tanh');
    const wrong = await choose(makeRun({}));
    expect(wrong.halfPrecision).toBe(false);
    expect(wrong.notes).toEqual([expect.stringMatching(/^Precision: float32, since in float16 WebGPU gives/)]);
    expect(wrong.measure).not.toHaveBeenCalled();
  });
});
