import { describe, expect, it } from 'vitest';
import { findMemoryRefusal } from '../../../../../src/core/jobs/forecast/memoryRefusal.ts';
import { proposeFit } from '../../../../../src/core/jobs/forecast/proposeFit.ts';
import { planPytorchMemory } from '../../../../../src/core/jobs/forecast/pytorchPlan.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import type { Accelerator } from '../../../../../src/shared/pythonReport.ts';
import { makeTinyModel } from '../../models/tinyModel.ts';

/** The shape of SmolLM2-135M; nothing is ever read. */
const small = makeTinyModel({
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  head_dim: 64,
  tie_word_embeddings: true,
});
/** The shape of Llama-2-7b. */
const big = makeTinyModel({
  vocab_size: 32000,
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  head_dim: 128,
  tie_word_embeddings: false,
});

const settingsOf = (changes: Partial<Hyperparameters>): Hyperparameters => ({
  ...defaultHyperparameters,
  engine: 'pytorch',
  baseWeights: 'float32',
  ...changes,
});
const card = (memoryBytes: number | null): { accelerators: Accelerator[] } => ({
  accelerators: [{ kind: 'cuda', name: 'Test Card', memoryBytes }],
});
const peakOf = (changes: Partial<Hyperparameters>, model = small) =>
  planPytorchMemory(model, settingsOf(changes), undefined, 8e9).peakMemoryBytes;

describe('planPytorchMemory', () => {
  // Peaks of the second step, as a processor under Linux took them; made by `npm run bench:forecast -- --engine pytorch`.
  it.each([
    [1.71e9, { batchRows: 1, contextTokens: 128 }],
    [4.92e9, { batchRows: 4, contextTokens: 256 }],
    [3.22e9, { batchRows: 4, contextTokens: 256, gradientCheckpointing: true }],
    [3.51e9, { batchRows: 4, contextTokens: 256, precision: 'bfloat16' }],
    [4.79e9, { batchRows: 1, contextTokens: 1024 }],
    [5.03e9, { batchRows: 4, contextTokens: 256, baseWeights: '8bit' }],
    [4.97e9, { batchRows: 4, contextTokens: 256, baseWeights: '4bit' }],
  ] as const)('is within 15 %% of the %d bytes that were measured with %o', (measured, changes) => {
    expect(Math.abs(peakOf(changes) / measured - 1)).toBeLessThan(0.15);
  });

  it('counts what the settings change', () => {
    const lora = peakOf({});
    expect(peakOf({ method: 'full' })).toBeGreaterThan(lora);
    expect(peakOf({ gradientCheckpointing: true })).toBeLessThan(lora);
    expect(peakOf({ contextTokens: 1024 })).toBeGreaterThan(1.5 * lora);
    const held = (baseWeights: Hyperparameters['baseWeights']) =>
      planPytorchMemory(big, settingsOf({ baseWeights }), card(24e9)).peakMemoryBytes;
    expect(held('4bit')).toBeLessThan(held('8bit'));
    expect(held('8bit')).toBeLessThan(held('float32'));
    // On one machine two processes hold everything twice, unless they share it.
    const two = { launcher: 'torchrun', processes: 2, method: 'full' } as const;
    expect(peakOf({ ...two })).toBe(2 * peakOf({ method: 'full' }));
    expect(peakOf({ ...two, sharding: 'fsdp' })).toBeLessThan(peakOf(two));
  });

  it('asks for the memory of the graphics card where there is one, and halves it by its 16 bit', () => {
    const plan = planPytorchMemory(big, settingsOf({}), card(24e9));
    expect(plan).toMatchObject({ card: 'Test Card', memoryLimitBytes: Math.floor(0.9 * 24e9) });
    expect(plan.peakMemoryBytes).toBeLessThan(0.75 * peakOf({}, big));
    expect(findMemoryRefusal({ ...plan, memoryLimitBytes: 1e9 }, undefined)[0]?.message).toContain('of Test Card');
    expect(planPytorchMemory(big, settingsOf({ device: 'cpu' }), card(24e9), 8e9)).not.toHaveProperty('card');
    // Of a card elsewhere nothing is known, and nothing is refused.
    expect(findMemoryRefusal(planPytorchMemory(big, settingsOf({}), card(null)), undefined)).toEqual([]);
  });

  it('fits 7 billion weights on a card of 8 GB by QLoRA, and proposes to compute layers again before it leaves rows out', () => {
    const python = card(8e9);
    const planOther = (settings: Hyperparameters) => planPytorchMemory(big, settings, python);
    const refuse = (): never => {
      throw new Error('the embedded engine is not asked');
    };
    const weights = { names: [], info: refuse, readFloat32: refuse, readFloat32Rows: refuse, readBytes: refuse };
    const fit = proposeFit({
      model: big,
      weights: { ...weights, close: () => undefined },
      hyperparameters: settingsOf({}),
      longestTokens: 512,
      planOther,
    });
    expect(fit?.settings).toMatchObject({ gradientCheckpointing: true, baseWeights: '4bit' });
    expect(fit?.settings).not.toHaveProperty('contextTokens');
    expect(fit!.peakMemoryBytes).toBeLessThan(0.9 * 8e9);
  });
});
