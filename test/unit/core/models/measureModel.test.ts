import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { measureModel } from '../../../../src/core/models/measureModel.ts';

const tiny: Record<string, unknown> = JSON.parse(readFileSync('media/tiny/config.json', 'utf8'));

describe('measureModel', () => {
  it('counts the tiny model’s parameters, the tied head once', () => {
    const block = 128 * (128 + 64 + 64 + 128) + 3 * 128 * 384 + 2 * 128;
    const parameterCount = 2048 * 128 + 4 * block + 128;
    expect(measureModel(tiny)).toEqual({ hiddenSize: 128, parameterCount, maxContextTokens: 1024 });
    const untied = measureModel({ ...tiny, tie_word_embeddings: false });
    expect(untied.parameterCount).toBe(parameterCount + 2048 * 128);
  });
});
