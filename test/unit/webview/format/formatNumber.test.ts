import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatCounted,
  formatFigure,
  formatRate,
  formatShare,
  formatSpeed,
  formatTick,
} from '../../../../webview/format/formatNumber.ts';

describe('formatCount', () => {
  it('groups thousands', () => {
    expect([0, 999, 1000, 1234567, 12.6].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567', '13']);
  });
});

describe('formatCounted', () => {
  it('says one row and many rows', () => {
    expect([0, 1, 1000].map(n => formatCounted(n, 'row'))).toEqual(['0 rows', '1 row', '1,000 rows']);
  });
});

describe('formatFigure', () => {
  it('keeps four significant digits whatever the size', () => {
    expect([2.34567, 12.3456, 0.0123456, 1234.56, 0].map(formatFigure)).toEqual([
      '2.346',
      '12.35',
      '0.01235',
      '1235',
      '0',
    ]);
  });

  it('writes the very large and the very small with an exponent', () => {
    expect([1.5e7, 3.21e-6, -2e-9].map(formatFigure)).toEqual(['1.50e7', '3.21e-6', '-2.00e-9']);
  });

  it('says what is no number', () => {
    expect(formatFigure(Number.NaN)).toBe('NaN');
  });
});

describe('formatRate', () => {
  it('writes learning rates as people write them', () => {
    expect([2e-4, 1.873e-4, 0, 0.01].map(formatRate)).toEqual(['2e-4', '1.87e-4', '0', '1e-2']);
  });
});

describe('formatShare', () => {
  it('keeps a digit after the point only below ten per cent', () => {
    expect([0, 0.0123, 0.12, 0.735, 1].map(formatShare)).toEqual(['0 %', '1.2 %', '12 %', '74 %', '100 %']);
  });
});

describe('formatSpeed', () => {
  it('keeps a digit after the point only for slow engines', () => {
    expect([8.44, 312.4, 3083].map(formatSpeed)).toEqual(['8.4', '312', '3,083']);
  });
});

describe('formatTick', () => {
  it('shows the digits that tell a tick from its neighbours', () => {
    expect([2.5, 3].map(value => formatTick(value, 0.5))).toEqual(['2.5', '3.0']);
    expect([0, 1000].map(value => formatTick(value, 1000))).toEqual(['0', '1000']);
    expect(formatTick(0.15, 0.01)).toBe('0.15');
  });

  it('writes ticks that are too close for digits with an exponent', () => {
    expect(formatTick(2e-6, 1e-6)).toBe('2e-6');
  });
});
