import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../../../src/host/runs/formatBytes.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1.0 KiB'],
    [150 * 1024 ** 2, '150 MiB'],
    [3.4 * 1024 ** 3, '3.4 GiB'],
  ])('writes %d as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});
