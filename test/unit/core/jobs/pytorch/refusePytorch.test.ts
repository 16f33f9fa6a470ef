import { describe, expect, it } from 'vitest';
import { refuseForPytorch } from '../../../../../src/core/jobs/pytorch/refusePytorch.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import type { Accelerator, PythonReport } from '../../../../../src/shared/pythonReport.ts';
import { catchTuneError } from '../../formats/catchTuneError.ts';

const pythonWith = (...kinds: Accelerator['kind'][]): PythonReport => ({
  source: 'own',
  interpreter: '/somewhere/python',
  version: '3.12.7',
  packages: { torch: '2.13.0' },
  accelerators: kinds.map(kind => ({ kind, name: 'Test Card', memoryBytes: null })),
  problems: [],
});
const check = (settings: Partial<Hyperparameters>, python?: PythonReport) => () =>
  refuseForPytorch(
    {
      name: 'tiny run',
      model: '/model',
      datasets: [],
      hyperparameters: { ...defaultHyperparameters, engine: 'pytorch', ...settings },
      overrides: [],
      parents: [],
    },
    python,
  );
const half = { precision: 'float16' } as const;

describe('refuseForPytorch', () => {
  it('takes float16 on cards of NVIDIA and AMD, and where the machine is not known', () => {
    for (const python of [pythonWith('cuda'), pythonWith('rocm'), undefined]) expect(check(half, python)).not.toThrow();
  });

  it('refuses float16 where no such card is, and on the CPU beside one', () => {
    const without = 'precision: expected float32 or bfloat16 without a graphics card of NVIDIA or AMD, got float16';
    for (const python of [pythonWith(), pythonWith('mps')]) {
      expect(catchTuneError(check(half, python))).toMatchObject({ code: 'usage', message: without });
    }
    expect(catchTuneError(check({ ...half, device: 'cpu' }, pythonWith('cuda')))).toMatchObject({
      code: 'usage',
      message: 'precision: expected float32 or bfloat16 on the CPU, got float16',
    });
  });
});
