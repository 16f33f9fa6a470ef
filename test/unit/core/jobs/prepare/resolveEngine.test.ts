import { describe, expect, it } from 'vitest';
import { resolveEngine } from '../../../../../src/core/jobs/prepare/resolveEngine.ts';
import { chooseEngine } from '../../../../../src/shared/engineChoice.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
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
const asked: Hyperparameters = { ...defaultHyperparameters, engine: 'pytorch' };
const broken: PythonReport = { ...ready, problems: [{ message: 'peft is missing', fix: 'Install peft 0.21.2.' }] };

describe('chooseEngine', () => {
  it('takes what was asked for', () => {
    expect(chooseEngine('embedded', { parameters: 7e9, python: ready }).engine).toBe('embedded');
    expect(chooseEngine('pytorch', { parameters: 1e6, python: undefined }).engine).toBe('pytorch');
  });

  it('takes PyTorch by itself only for a big model on a graphics card that is ready, and says why', () => {
    expect(chooseEngine('auto', { parameters: 7e9, python: ready })).toEqual({
      engine: 'pytorch',
      reason: 'The model is big (7.0 billion weights) and PyTorch can use NVIDIA H100 (CUDA).',
    });
    expect(chooseEngine('auto', { parameters: 135e6, python: ready })).toEqual({
      engine: 'embedded',
      reason: 'The model is small (135 million weights); from 300 million on PyTorch takes over.',
    });
    expect(chooseEngine('auto', { parameters: 7e9, python: { ...ready, accelerators: [] } }).engine).toBe('embedded');
    expect(chooseEngine('auto', { parameters: 7e9, python: undefined }).reason).toContain('no graphics card');
    expect(chooseEngine('auto', { parameters: 7e9, python: broken }).reason).toContain('peft is missing');
    expect(chooseEngine('auto', { parameters: undefined, python: ready }).reason).toContain('not known');
  });
});

describe('resolveEngine', () => {
  it('refuses PyTorch where it is not ready, with the mend', () => {
    const error = catchTuneError(() => resolveEngine(asked, { parameters: 1e6 }, broken));
    expect(error).toMatchObject({ code: 'python-missing', hint: 'Install peft 0.21.2.' });
    expect(error.message).toContain('peft is missing');
    expect(catchTuneError(() => resolveEngine(asked, { parameters: 1e6 }, undefined)).message).toContain('got none');
  });

  it('leaves a big model to the embedded engine where the card is too small for it', () => {
    const memory = { peakMemoryBytes: 90e9, memoryLimitBytes: 72e9, card: 'NVIDIA H100' };
    const choice = resolveEngine(defaultHyperparameters, { parameters: 7e9, memory }, ready);
    expect(choice.engine).toBe('embedded');
    expect(choice.reason).toMatch(/^With PyTorch it would take about .* of NVIDIA H100 that it may use\.$/);
    const fitting = { ...memory, peakMemoryBytes: 20e9 };
    expect(resolveEngine(defaultHyperparameters, { parameters: 7e9, memory: fitting }, ready).engine).toBe('pytorch');
    // What was asked for is done: the memory check says what it lacks.
    expect(resolveEngine(asked, { parameters: 7e9, memory }, ready).engine).toBe('pytorch');
  });

  it('refuses 4-bit weights without what holds them', () => {
    const bare: PythonReport = { ...ready, packages: { torch: '2.13.0', bitsandbytes: null } };
    const error = catchTuneError(() => resolveEngine({ ...asked, baseWeights: '4bit' }, { parameters: 1e6 }, bare));
    expect(error).toMatchObject({ code: 'python-missing', message: expect.stringContaining('bitsandbytes') });
  });

  it('gives PyTorch where it is ready', () => {
    expect(resolveEngine(asked, { parameters: 1e6 }, ready).engine).toBe('pytorch');
  });

  it('refuses by name what the chosen engine cannot do, and lets auto take the one that can', () => {
    const webgpu: Hyperparameters = { ...defaultHyperparameters, device: 'webgpu' };
    const error = catchTuneError(() => resolveEngine({ ...webgpu, engine: 'pytorch' }, { parameters: 7e9 }, ready));
    expect(error).toMatchObject({ code: 'usage', hint: expect.stringContaining('embedded') });
    expect(error.message).toContain('device: expected auto or cpu with the PyTorch engine, got webgpu');
    const choice = resolveEngine({ ...webgpu, engine: 'auto' }, { parameters: 7e9 }, ready);
    expect(choice.engine).toBe('embedded');
    expect(choice.reason).toContain('belong to the embedded engine');
    expect(resolveEngine({ ...defaultHyperparameters, objective: 'distill' }, { parameters: 7e9 }, ready).engine).toBe(
      'pytorch',
    );
  });

  it('lets auto take PyTorch for what it alone can do, and asks for it where it is not there', () => {
    const many: Hyperparameters = { ...defaultHyperparameters, launcher: 'torchrun' };
    expect(resolveEngine(many, { parameters: 1e6 }, ready)).toMatchObject({
      engine: 'pytorch',
      reason: expect.stringContaining('one process on one machine'),
    });
    expect(catchTuneError(() => resolveEngine(many, { parameters: 1e6 }, undefined)).code).toBe('python-missing');
    // What has no effect beside the embedded engine does not keep it from running.
    expect(resolveEngine({ ...many, engine: 'embedded' }, { parameters: 1e6 }, undefined).engine).toBe('embedded');
  });
});
