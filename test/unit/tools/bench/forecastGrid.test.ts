import { describe, expect, it } from 'vitest';
import { compareForecast, forecastGrid, forecastTable, isWithin } from '../../../../src/tools/bench/forecastGrid.mjs';

const measured = { forecastBytes: 1.08e9, measuredBytes: 1e9, forecastMs: 1150, measuredMs: 1000 };
const compare = (changes: Partial<typeof measured> | { forecastMs: null }) =>
  compareForecast(1, forecastGrid[0]!, { ...measured, ...changes });

describe('compareForecast', () => {
  it('is within when memory is off by at most a tenth and time by at most a fifth', () => {
    expect(isWithin(compare({}))).toBe(true);
    expect(isWithin(compare({ forecastBytes: 1.12e9 }))).toBe(false);
    expect(isWithin(compare({ forecastBytes: 0.88e9 }))).toBe(false);
    expect(isWithin(compare({ forecastMs: 1250 }))).toBe(false);
    expect(isWithin(compare({ forecastMs: 750 }))).toBe(false);
    expect(isWithin(compare({ forecastMs: null }))).toBe(true);
  });

  it('shows what was said beside what was measured', () => {
    expect(forecastTable([compare({})]).rows).toEqual([
      ['1 tiny, 8 x 128, lora, float32, whole, sft', '1080', '1000', '1.08', '1.1', '1.0', '1.15', 'yes'],
    ]);
    expect(forecastTable([compare({ forecastMs: null })]).rows[0]!.slice(4)).toEqual(['', '', '', 'yes']);
  });
});

describe('forecastGrid', () => {
  it('has at least twelve settings, of both models, shapes and methods, of three forms of weights, and every objective', () => {
    expect(forecastGrid.length).toBeGreaterThanOrEqual(12);
    const all = JSON.stringify(forecastGrid);
    for (const word of ['tiny', 'SmolLM2', 'whole', 'layered', 'full', 'float32', '8bit', '4bit', 'dpo', 'distill'])
      expect(all).toContain(`"${word}"`);
  });
});
