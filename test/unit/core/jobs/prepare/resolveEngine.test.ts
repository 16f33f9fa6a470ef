import { describe, expect, it } from 'vitest';
import { resolveEngine } from '../../../../../src/core/jobs/prepare/resolveEngine.ts';
import { chooseEngine } from '../../../../../src/shared/engineChoice.ts';
import type { PythonReport } from '../../../../../src/shared/pythonReport.ts';
import { catchTuneError } from '../../formats/catchTuneError.ts';

const ready: PythonReport = {
  source: 'own',
  interpreter: '/somewhere/python',
  version: '3.12.7',
  packages: { torch: '2.13.0' },
  accelerators: [{ kind: 'cuda', name: 'NVIDIA H100', memoryBytes: 80e9 }],
  problems: [],
};
const broken: PythonReport = { ...ready, problems: [{ message: 'peft is missing', fix: 'Install peft 0.21.2.' }] };

describe('chooseEngine', () => {
  it('takes what was asked for', () => {
    expect(chooseEngine('embedded', 7e9, ready).engine).toBe('embedded');
    expect(chooseEngine('pytorch', 1e6, undefined).engine).toBe('pytorch');
  });

  it('takes PyTorch by itself only for a big model on a graphics card that is ready, and says why', () => {
    expect(chooseEngine('auto', 7e9, ready)).toEqual({
      engine: 'pytorch',
      reason: 'The model is big (7.0 billion weights) and PyTorch can use NVIDIA H100 (CUDA).',
    });
    expect(chooseEngine('auto', 135e6, ready)).toEqual({
      engine: 'embedded',
      reason: 'The model is small (135 million weights); from 300 million on PyTorch takes over.',
    });
    expect(chooseEngine('auto', 7e9, { ...ready, accelerators: [] }).engine).toBe('embedded');
    expect(chooseEngine('auto', 7e9, undefined).reason).toContain('no graphics card');
    expect(chooseEngine('auto', 7e9, broken).reason).toContain('peft is missing');
    expect(chooseEngine('auto', undefined, ready).reason).toContain('not known');
  });
});

describe('resolveEngine', () => {
  it('refuses PyTorch where it is not ready, with the mend', () => {
    const error = catchTuneError(() => resolveEngine({ engine: 'pytorch' }, 1e6, broken));
    expect(error).toMatchObject({ code: 'python-missing', hint: 'Install peft 0.21.2.' });
    expect(error.message).toContain('peft is missing');
    expect(catchTuneError(() => resolveEngine({ engine: 'pytorch' }, 1e6, undefined)).message).toContain('got none');
  });

  it('gives PyTorch where it is ready', () => {
    expect(resolveEngine({ engine: 'pytorch' }, 1e6, ready).engine).toBe('pytorch');
  });
});
