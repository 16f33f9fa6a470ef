import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OnnxModel } from '../../../../src/core/formats/onnxModel.ts';
import type { LossSpec } from '../../../../src/core/models/lossSpec.ts';
import { GraphSession, type SessionOptions } from '../../../../src/core/runtime/graphSession.ts';
import { checkDevice } from '../../../../src/core/train/checkDevice.ts';
import type { TrainingEngineSettings } from '../../../../src/core/train/createTrainingEngine.ts';
import { linearLayers } from '../../../../src/shared/hyperparameters.ts';
import { makeTinyModel, makeTinyWeights } from '../models/tinyModel.ts';

function settingsOf(changes: Partial<TrainingEngineSettings> = {}, config = {}): TrainingEngineSettings {
  const model = makeTinyModel(config);
  return {
    model,
    weights: makeTinyWeights(model),
    method: 'lora',
    targetModules: linearLayers,
    rank: 16,
    alpha: 32,
    seed: 7,
    batchRows: 4,
    contextTokens: 512,
    threads: 1,
    shape: 'whole',
    ...changes,
  };
}

/** A device that is the CPU with other operators in its graphs. */
function pretendDevice(change: (model: OnnxModel) => OnnxModel): void {
  const create = GraphSession.create.bind(GraphSession);
  vi.spyOn(GraphSession, 'create').mockImplementation((model, options: SessionOptions = {}) => {
    if (options.device !== 'webgpu' || model instanceof Uint8Array) return create(model, options);
    return create(change(model), { ...options, device: 'cpu' });
  });
}

function replaceOperator(type: string, by: string): void {
  pretendDevice(model => ({
    ...model,
    nodes: model.nodes.map(node => (node.type === type ? { ...node, type: by } : node)),
  }));
}

const changesOf = (modelType: string): Readonly<Record<string, unknown>> =>
  modelType.startsWith('gemma') ? { hidden_activation: 'gelu_pytorch_tanh', sliding_window: 16 } : {};

afterEach(() => {
  vi.restoreAllMocks();
});

const losses: Record<string, LossSpec> = {
  answers: { kind: 'crossEntropy' },
  preferences: { kind: 'preference', beta: 0.1, labelSmoothing: 0.1 },
  teacher: { kind: 'distillation', share: 0.5, temperature: 1, topK: 32 },
};

describe('checkDevice', () => {
  it.each(Object.keys(losses))('passes a device that computes as the CPU does: %s', async name => {
    pretendDevice(model => model);
    expect(await checkDevice(settingsOf({ loss: losses[name], dora: name === 'answers' }), 'webgpu')).toEqual({
      ok: true,
      largestDifference: 0,
    });
  });

  it.each(['mistral', 'qwen2', 'qwen3', 'phi3', 'smollm3', 'olmo2', 'gemma2', 'gemma3_text'])(
    'checks the architecture of the run: %s',
    async modelType => {
      pretendDevice(model => model);
      const settings = settingsOf({ shape: 'layered' }, { model_type: modelType, ...changesOf(modelType) });
      expect(await checkDevice(settings, 'webgpu')).toEqual({ ok: true, largestDifference: 0 });
    },
  );

  it.each([
    ['8bit', 0],
    ['4bit', 0],
    ['float32', 0.1],
  ] as const)('checks %s weights and dropout %s', async (baseWeights, dropout) => {
    pretendDevice(model => model);
    expect(await checkDevice(settingsOf({ baseWeights, dropout }), 'webgpu')).toEqual({
      ok: true,
      largestDifference: 0,
    });
  });

  it.each([
    ['loss', 'Sigmoid', 'HardSigmoid', 'gatedActivation'],
    ['gradient alone', 'Sqrt', 'Abs', 'rmsNormGradient'],
  ])('names the operation that makes a wrong %s', async (what, operator, wrong, operation) => {
    replaceOperator(operator, wrong);
    expect(await checkDevice(settingsOf(), 'webgpu')).toMatchObject({
      ok: false,
      operation,
      reason: expect.stringMatching(
        new RegExp(`${what === 'loss' ? 'a loss of' : 'gradients that differ'}.*operation ${operation} differs`),
      ),
    });
  });

  it('names an operation that the device refuses, with what it said', async () => {
    replaceOperator('Sigmoid', 'NoSuchOperator');
    expect(await checkDevice(settingsOf(), 'webgpu')).toMatchObject({
      ok: false,
      operation: 'gatedActivation',
      reason: expect.stringContaining('NoSuchOperator'),
    });
  });
});
