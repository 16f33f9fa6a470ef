import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../src/core/adapter/readAdapter.ts';
import { makeAdapterInputs } from '../../../../src/core/infer/adapterInputs.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { type TinyAdapter, tinyChatModel, writeTinyAdapter } from '../../../support/tinyChatModel.ts';

function attach(adapter: TinyAdapter) {
  return makeAdapterInputs(tinyChatModel, readAdapter(writeTinyAdapter(join(temporaryFolder(), 'adapter'), adapter)));
}

describe('makeAdapterInputs', () => {
  it('gives rank 0 to every layer of the base', () => {
    const inputs = makeAdapterInputs(tinyChatModel, null);
    expect(Object.keys(inputs)).toHaveLength(2 * 7 * tinyChatModel.config.layers);
    expect(Object.values(inputs).every(({ data }) => data.length === 0)).toBe(true);
  });

  it('refuses an adapter on layers that the base does not have', () => {
    const deeper: TinyAdapter = {
      change: tensors => tensors.map(t => ({ ...t, name: t.name.replace('layers.1.', 'layers.9.') })),
    };
    expect(() => attach(deeper)).toThrow(/got model\.layers\.9\.mlp\.down_proj/);
  });

  it('refuses an adapter of another width', () => {
    const wider: TinyAdapter = {
      change: tensors =>
        tensors.map(t => {
          if (!t.name.endsWith('lora_A.weight')) return t;
          return { ...t, shape: [t.shape[0]!, 2 * t.shape[1]!], values: [...t.values, ...t.values] };
        }),
    };
    expect(() => attach(wider)).toThrow(
      /expected model\.layers\.0\.mlp\.down_proj of shape \[32, 48\] as in the base model, got \[32, 96\]/,
    );
  });

  it('refuses an adapter that lacks the last layers of the base', () => {
    const shallower: TinyAdapter = { change: tensors => tensors.filter(t => !t.name.includes('layers.1.')) };
    expect(() => attach(shallower)).toThrow(/expected LoRA weights for model\.layers\.1\.self_attn\.q_proj/);
  });
});
