import { describe, expect, it } from 'vitest';
import { readModel } from '../../../../src/core/models/findArchitecture.ts';
import { forecastMemory, type MemoryRequest } from '../../../../src/core/train/forecastMemory.ts';
import { makeTinyModel } from '../models/tinyModel.ts';

/** SmolLM2-135M's dimensions. */
const model = readModel({
  model_type: 'llama',
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  tie_word_embeddings: true,
});
const request: MemoryRequest = {
  model,
  method: 'lora',
  rank: 16,
  targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  batchRows: 4,
  contextTokens: 256,
};

describe('forecastMemory', () => {
  it('is near the peaks that runs were measured at, evaluation included', () => {
    expect(forecastMemory(request).weightsBytes).toBe(4 * 134_515_008);
    // MB by `npm run bench:forecast`, a LoRA of rank 16 on all linear layers, a third of the tokens supervised.
    const measured = [
      { batchRows: 1, contextTokens: 128, shape: 'whole', peak: 1008 },
      { batchRows: 4, contextTokens: 256, shape: 'whole', peak: 1961 },
      { batchRows: 1, contextTokens: 1024, shape: 'whole', peak: 2072 },
      { batchRows: 4, contextTokens: 256, shape: 'layered', peak: 1239 },
      { batchRows: 1, contextTokens: 2048, shape: 'layered', peak: 1521 },
    ] as const;
    for (const { shape, peak, ...batch } of measured) {
      const ratio = forecastMemory({ ...request, ...batch, supervisedShare: 0.35 }).totalBytes[shape] / 1e6 / peak;
      expect(Math.abs(ratio - 1), `${shape} ${batch.batchRows} x ${batch.contextTokens}`).toBeLessThan(0.1);
    }
  });

  it('counts logits at the tokens that are supervised alone', () => {
    const few = forecastMemory({ ...request, batchRows: 1, supervisedShare: 0.1 });
    const all = forecastMemory({ ...request, batchRows: 1 });
    expect(few.logitsBytes / all.logitsBytes).toBeCloseTo(0.125, 2);
  });

  it('grows with the tokens of a batch, and for the whole graph faster', () => {
    const longer = forecastMemory({ ...request, contextTokens: 512 }).totalBytes;
    const { totalBytes } = forecastMemory(request);
    const growth = { whole: longer.whole - totalBytes.whole, layered: longer.layered - totalBytes.layered };
    expect(growth.layered).toBeGreaterThan(0);
    expect(growth.whole).toBeGreaterThan(3 * growth.layered);
  });

  it('counts gradients and moments of all weights for full fine-tuning', () => {
    const full = forecastMemory({ ...request, method: 'full' });
    expect(full.trainableBytes).toBe(3 * full.weightsBytes);
    expect(forecastMemory({ ...request, targetModules: ['q_proj'] }).trainableBytes).toBe(4 * 4 * 30 * 16 * 2 * 576);
  });

  it('counts what answering sample prompts takes: more for longer ones, nothing without', () => {
    const bytesWith = (samplePrompts: readonly string[]) => forecastMemory({ ...request, samplePrompts }).samplingBytes;
    const kept =
      2 * 2 * 4 * request.model.config.layers * request.model.config.keyValueHeads * request.model.config.headSize;
    expect(bytesWith([])).toBe(0);
    expect(bytesWith(['abc'])).toBeGreaterThan(kept * 131);
    expect(bytesWith(['abc', 'a'.repeat(1000)])).toBeGreaterThan(bytesWith(['abc']));
    const { totalBytes } = forecastMemory(request);
    expect(forecastMemory({ ...request, samplePrompts: ['abc'] }).totalBytes.whole).toBe(
      totalBytes.whole + bytesWith(['abc']),
    );
  });

  it('counts what head norms, outer norms, caps and windows need', () => {
    const wide = { contextTokens: 1024, batchRows: 1 };
    const forecast = (config: Record<string, unknown>) =>
      forecastMemory({ ...request, ...wide, model: makeTinyModel(config) });
    const plain = forecast({ model_type: 'llama' });
    const headNorms = forecast({ model_type: 'qwen3' });
    const gemma = forecast({ model_type: 'gemma2', head_dim: 16 });
    const uncapped = { final_logit_softcapping: null, attn_logit_softcapping: null };
    const window = forecast({ model_type: 'mistral', sliding_window: 64 });
    expect(headNorms.activationsBytes.whole).toBeGreaterThan(plain.activationsBytes.whole);
    expect(gemma.activationsBytes.whole).toBeGreaterThan(headNorms.activationsBytes.whole);
    expect(gemma.logitsBytes).toBe(2 * forecast({ model_type: 'gemma2', head_dim: 16, ...uncapped }).logitsBytes);
    expect(window.activationsBytes.layered).toBeLessThan(plain.activationsBytes.layered);
  });
});
