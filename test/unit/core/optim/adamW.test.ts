import { describe, expect, it } from 'vitest';
import { AdamW } from '../../../../src/core/optim/adamW.ts';

const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

function parameter(value: number[], gradient: number[], decays = true) {
  return { name: 'w', value: Float32Array.from(value), gradient: Float32Array.from(gradient), decays };
}

describe('AdamW', () => {
  it('makes the values that torch.optim.AdamW makes in three steps', () => {
    // torch 2.13: AdamW([1, -2, 3], lr=0.1, weight_decay=0.1), gradients [0.5, -1, 0.01], then x2, then x-1
    const p = parameter([1, -2, 3], [0.5, -1, 0.01]);
    const optimizer = new AdamW([p], settings);
    optimizer.update(1, 0.1, 1);
    p.gradient.set([1, -2, 0.02]);
    optimizer.update(2, 0.1, 1);
    p.gradient.set([-0.5, 1, -0.01]);
    optimizer.update(3, 0.1, 1);
    const expected = [0.7347270846, -1.7050261497, 2.6753256321];
    for (const [i, value] of p.value.entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  it('moves against the gradient by the learning rate at the first step, whatever its size', () => {
    const p = parameter([0, 0], [1e-3, -1e3], false);
    new AdamW([p], settings).update(1, 0.01, 1);
    expect(p.value[0]).toBeCloseTo(-0.01, 5);
    expect(p.value[1]).toBeCloseTo(0.01, 5);
  });

  it('shrinks only the parameters that decay', () => {
    const decaying = parameter([1], [0]);
    const other = parameter([1], [0], false);
    new AdamW([decaying, other], settings).update(1, 0.5, 1);
    expect(decaying.value[0]).toBeCloseTo(0.95, 6);
    expect(other.value[0]).toBe(1);
  });

  it("gives a parameter the step's learning rate times its own factor, in its decay too", () => {
    const [fast, plain] = [{ ...parameter([1, -2], [0.5, 1]), learningRateFactor: 4 }, parameter([1, -2], [0.5, 1])];
    new AdamW([fast], settings).update(1, 0.01, 1);
    new AdamW([plain], settings).update(1, 0.04, 1);
    expect(fast.value).toEqual(plain.value);
  });

  it('reads gradients multiplied by the clipping factor', () => {
    const clipped = parameter([0], [4]);
    const plain = parameter([0], [1]);
    const [a, b] = [new AdamW([clipped], settings), new AdamW([plain], settings)];
    a.update(1, 0.1, 0.25);
    b.update(1, 0.1, 1);
    expect(clipped.value).toEqual(plain.value);
    expect(a.moments).toEqual(b.moments);
  });

  it('leaves values alone where gradient, moments and decay are zero', () => {
    const p = parameter([1.5], [0], false);
    new AdamW([p], settings).update(1, 0.1, 1);
    expect(p.value[0]).toBe(1.5);
  });
});
