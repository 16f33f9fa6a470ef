import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../../src/shared/formatBytes.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1.0 KiB'],
    [150 * 1024 ** 2, '150 MiB'],
    [3.4 * 1024 ** 3, '3.4 GiB'],
    [1024 ** 3 - 1, '1.0 GiB'],
    [5 * 1024 ** 4, '5.0 TiB'],
  ])('writes %d as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});
