import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBytes, printBytes } from '../../../../webview/format/typedBytes.ts';

describe('parseBytes', () => {
  it('reads units in every spelling', () => {
    expect(['8 GiB', '8gb', '8G', '8589934592', '8589934592 bytes'].map(parseBytes)).toEqual(
      Array(5).fill(8 * 1024 ** 3),
    );
    expect(parseBytes('1.5 k')).toBe(1536);
  });

  it('refuses what is no size', () => {
    expect(['', 'much', '-1', '8 GX', '1e3'].map(parseBytes)).toEqual(Array(5).fill(undefined));
  });
});

describe('printBytes', () => {
  it('gives a text that reads back as the same bytes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        bytes => parseBytes(printBytes(bytes)) === bytes,
      ),
    );
    expect(printBytes(8 * 1024 ** 3)).toBe('8 GiB');
  });
});
