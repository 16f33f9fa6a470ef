import { describe, expect, it } from 'vitest';
import { formatDuration, formatLatency } from '../../../src/shared/formatDuration.ts';

describe('formatDuration', () => {
  it('shows the two units that matter', () => {
    expect([400, 9_949, 9_990, 59_499, 59_600, 185_000, 8_040_000, 273_600_000].map(formatDuration)).toEqual([
      '0.4 s',
      '9.9 s',
      '10 s',
      '59 s',
      '1 min 00 s',
      '3 min 05 s',
      '2 h 14 min',
      '3 d 04 h',
    ]);
  });

  it('takes a clock that went backwards for no time', () => {
    expect(formatDuration(-5)).toBe('0.0 s');
  });
});

describe('formatLatency', () => {
  it('counts milliseconds below a second', () => {
    expect([84.6, 1240].map(formatLatency)).toEqual(['85 ms', '1.2 s']);
  });
});
