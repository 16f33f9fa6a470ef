import { describe, expect, it } from 'vitest';
import { sampleToken } from '../../../../src/core/infer/sampleToken.ts';

// Probabilities 0.5, 0.3, 0.15, 0.05 at temperature 1, in another order.
const logits = Float32Array.from([0.3, 0.5, 0.05, 0.15], Math.log);

describe('sampleToken', () => {
  it('draws each token in proportion to its probability', () => {
    const draws = Array.from({ length: 1000 }, (_, i) =>
      sampleToken(logits, { temperature: 1, topP: 1 }, () => i / 1000),
    );
    const counts = [0, 1, 2, 3].map(token => draws.filter(drawn => drawn === token).length);
    for (const [token, expected] of [300, 500, 50, 150].entries()) {
      expect(Math.abs(counts[token]! - expected)).toBeLessThanOrEqual(1);
    }
  });

  it('leaves out the tokens beyond top-p', () => {
    const drawn = new Set(
      Array.from({ length: 100 }, (_, i) => sampleToken(logits, { temperature: 1, topP: 0.7 }, () => i / 100)),
    );
    expect([...drawn].sort()).toEqual([0, 1]);
  });

  it('takes the likeliest token when top-p is tiny', () => {
    expect(sampleToken(logits, { temperature: 1, topP: 1e-9 }, () => 0.999)).toBe(1);
  });

  it('comes closer to the likeliest token the lower the temperature', () => {
    expect(sampleToken(logits, { temperature: 0.05, topP: 1 }, () => 0.5)).toBe(1);
    expect(sampleToken(logits, { temperature: 0.05, topP: 1 }, () => 0.9)).toBe(1);
  });

  it('gives a token also when the draw is all but 1', () => {
    expect([0, 1, 2, 3]).toContain(sampleToken(logits, { temperature: 1, topP: 1 }, () => 1 - 2 ** -32));
  });
});
