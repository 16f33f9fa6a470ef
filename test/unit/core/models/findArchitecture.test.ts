import { describe, expect, it } from 'vitest';
import { readModel } from '../../../../src/core/models/findArchitecture.ts';
import { listParameters, makeTinyModel, tinyConfig } from './tinyModel.ts';

describe('readModel', () => {
  it('refuses an unknown architecture by name', () => {
    expect(() => readModel({ ...tinyConfig, model_type: 'mamba' })).toThrow(
      expect.objectContaining({ code: 'model-unsupported', message: expect.stringContaining('got mamba') }),
    );
  });

  it('names the field that is missing or wrong', () => {
    expect(() => readModel({ ...tinyConfig, hidden_size: undefined })).toThrow(/hidden_size.*got nothing/);
    expect(() => readModel({ ...tinyConfig, vocab_size: -3 })).toThrow(/vocab_size.*got -3/);
    expect(() => readModel({ ...tinyConfig, num_key_value_heads: 3 })).toThrow(/num_key_value_heads.*got 3/);
    expect(() => readModel({ ...tinyConfig, hidden_act: 'gelu' })).toThrow(/hidden_act.*got "gelu"/);
  });

  it('reads rope scaling as transformers 4 and 5 spell it', () => {
    const scaling = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
    const older = readModel({ ...tinyConfig, rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...scaling } });
    const newer = readModel({
      ...tinyConfig,
      rope_theta: undefined,
      rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, ...scaling },
    });
    expect(newer.config.rope).toEqual(older.config.rope);
    expect(older.config.rope.theta).toBe(5e5);
    expect(readModel({ ...tinyConfig, rope_scaling: { type: 'linear', factor: 2 } }).config.rope.scaling).toEqual({
      kind: 'linear',
      factor: 2,
    });
    expect(() => readModel({ ...tinyConfig, rope_scaling: { type: 'proportional', factor: 2 } })).toThrow(
      expect.objectContaining({ code: 'model-unsupported' }),
    );
  });

  it('describes biases and an untied head where the config has them', () => {
    const names = (changes: object) => listParameters(makeTinyModel({ ...changes })).map(({ name }) => name);
    expect(names({})).not.toContain('lm_head.weight');
    expect(names({ tie_word_embeddings: false })).toContain('lm_head.weight');
    expect(names({ attention_bias: true })).toContain('model.layers.1.self_attn.k_proj.bias');
    expect(names({ mlp_bias: true })).toContain('model.layers.0.mlp.down_proj.bias');
  });
});
