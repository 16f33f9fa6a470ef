import { describe, expect, it } from 'vitest';
import { DropoutMasks } from '../../../../src/core/train/dropoutMasks.ts';

const tokens = 64;
const target = (name: string, inner = 32) => ({ name: `${name}.weight`, shape: [8, inner], kind: 'linear' as const });

/** The factors that a module's input is multiplied by. */
function maskOf(masks: DropoutMasks, module: string, width: number, step = 1): number[] {
  const feeds = masks.draw({ step, microBatch: 0 });
  const table = feeds[`dropout_masks_${width}`]!.data as Float32Array;
  const rows = feeds[`${module}.dropout_rows`]!.data as Int32Array;
  return [...rows].flatMap(row => [...table.subarray(row * width, (row + 1) * width)]);
}

describe('DropoutMasks', () => {
  it('drops the given share and scales the rest so that the mean stays', () => {
    const mask = maskOf(new DropoutMasks(7, 0.25, tokens, [target('a')]), 'a', 32);
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    // Binomial: 2048 draws at 0.25 have a standard deviation of 20.
    const dropped = mask.filter(factor => factor === 0).length;
    expect(Math.abs(dropped - 512)).toBeLessThan(80);
    expect(mask.reduce((sum, factor) => sum + factor, 0) / mask.length).toBeCloseTo(1, 1);
  });

  it('is a pure function of seed, step and module, whatever was drawn before', () => {
    const make = (names: string[]) =>
      new DropoutMasks(
        7,
        0.5,
        tokens,
        names.map(name => target(name)),
      );
    const both = make(['a', 'b']);
    both.draw({ step: 9, microBatch: 3 });
    expect(maskOf(both, 'b', 32)).toEqual(maskOf(make(['b']), 'b', 32));
    expect(maskOf(both, 'b', 32)).not.toEqual(maskOf(both, 'b', 32, 2));
  });

  it('gives each module a mask that tells nothing of another one at the same token', () => {
    const masks = new DropoutMasks(7, 0.5, tokens, [target('a'), target('b')]);
    const [a, b] = [maskOf(masks, 'a', 32), maskOf(masks, 'b', 32)];
    const equal = a.filter((factor, i) => factor === b[i]).length / a.length;
    expect(equal).toBeGreaterThan(0.44);
    expect(equal).toBeLessThan(0.56);
  });
});
