import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Measurement } from '../../../../src/tools/bench/benchCases.mjs';
import { median, medianRatio } from '../../../../src/tools/bench/benchStatistics.mjs';
import { formatColumns, formatMarkdown } from '../../../../src/tools/bench/benchTable.mjs';
import { contextTable, summarizeContexts } from '../../../../src/tools/bench/contextReport.mjs';
import { decodingTable, summarizeDecoding } from '../../../../src/tools/bench/decodingReport.mjs';
import { replaceFigures } from '../../../../src/tools/bench/figuresPage.mjs';
import { findDifferentLosses, summarizeTraining, trainingTable } from '../../../../src/tools/bench/trainingReport.mjs';

const megabyte = 1e6;

const trained = (stepMs: number[], loss = 2, stepsPeakRssBytes: number | null = 1000 * megabyte): Measurement => ({
  stepMs,
  losses: [loss, loss - 1],
  peakRssBytes: 1500 * megabyte,
  stepsPeakRssBytes,
});

const answered = (tokensPerSecond: number): Measurement => ({
  base: { promptTokens: 100, outputTokens: 8, tokensPerSecond, promptTokensPerSecond: 10 * tokensPerSecond },
  adapter: {
    promptTokens: 100,
    outputTokens: 8,
    tokensPerSecond: tokensPerSecond / 2,
    promptTokensPerSecond: 5 * tokensPerSecond,
  },
  peakRssBytes: 900 * megabyte,
  stepsPeakRssBytes: 800 * megabyte,
});

describe('median', () => {
  it.each([
    [[3], 3],
    [[10, 9, 1], 9],
    [[4, 1, 2, 100], 3],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('leaves the values in their order', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('medianRatio', () => {
  it('compares runs that stood beside each other', () => {
    // The machine halved its speed after the first run: each pair still says 2.
    expect(medianRatio([200, 100, 100], [100, 50, 50])).toBe(2);
  });

  it('is undefined without anything to compare with', () => {
    expect(medianRatio([1], undefined)).toBeUndefined();
    expect(medianRatio([1], [])).toBeUndefined();
  });
});

describe('summarizeTraining', () => {
  it('gives speeds, ratios to PyTorch and the largest peaks', () => {
    const results = new Map([
      ['full', [trained([2000]), trained([4000])]],
      ['whole', [trained([1000, 500, 1000]), trained([2000], 2, 1200 * megabyte)]],
    ]);
    const [whole, full] = summarizeTraining(results, 1000);
    expect(whole).toMatchObject({
      case: 'whole',
      tokensPerSecond: 750,
      runs: [1000, 500],
      ratio: 2,
      peakRatio: 1.2,
      stepsPeakRssBytes: 1200 * megabyte,
      peakRssBytes: 1500 * megabyte,
      firstLossNats: 2,
    });
    expect(full).toMatchObject({ case: 'full', tokensPerSecond: 375, ratio: 1 });
  });

  it('compares speed with the faster PyTorch of each pass, memory with the eager one to three digits', () => {
    const results = new Map([
      ['full', [trained([2000]), trained([1000])]],
      ['compiled', [trained([1000], 2, 900 * megabyte), trained([4000])]],
      ['whole', [trained([500], 2, 402 * megabyte), trained([500])]],
    ]);
    const summaries = summarizeTraining(new Map(results).set('whole', [trained([500], 2, 402 * megabyte)]), 1000);
    expect(summaries.find(({ case: name }) => name === 'whole')).toMatchObject({ ratio: 2, peakRatio: 0.402 });
    expect(summarizeTraining(results, 1000)[0]).toMatchObject({ case: 'whole', ratio: 2 });
    const { header, rows } = trainingTable(summaries, '4 x 256');
    expect(header).toContain('of the faster PyTorch (eager, compiled)');
    expect(rows[0]).toContain('0.402 x');
  });

  it('gives no ratio where PyTorch did not run, and no peak where the system cannot tell', () => {
    const [layered] = summarizeTraining(new Map([['layered', [trained([1000], 2, null)]]]), 1000);
    expect(layered).not.toHaveProperty('ratio');
    expect(layered?.stepsPeakRssBytes).toBeNull();
    expect(trainingTable([layered!], '4 x 256').rows[0]).toEqual([
      'engine, layer by layer',
      '1000',
      '1000-1000',
      '',
      '',
      '',
      '1500',
    ]);
  });
});

describe('summarizeContexts', () => {
  it('gives speed and memory of each context, and what more tokens add', () => {
    const results = new Map([
      ['context-1024', [trained([1000])]],
      ['context-2048', [trained([4000], 2, 1300 * megabyte)]],
    ]);
    const summaries = summarizeContexts(results);
    expect(summaries.map(({ tokensPerSecond }) => tokensPerSecond)).toEqual([1024, 512]);
    expect(contextTable(summaries).rows).toEqual([
      ['1 x 1024', '1024', '1000', '', '1500'],
      ['1 x 2048', '512', '1300', '300', '1500'],
    ]);
  });
});

describe('summarizeDecoding', () => {
  it('gives a row for the base and one for the adapter of each case', () => {
    const results = new Map([
      ['decode', [answered(40), answered(20)]],
      ['llama-decode', [answered(20), answered(10)]],
    ]);
    const summaries = summarizeDecoding(results);
    expect(summaries.map(({ case: name, model }) => `${name} ${model}`)).toEqual([
      'decode base',
      'decode adapter',
      'llama-decode base',
      'llama-decode adapter',
    ]);
    expect(decodingTable(summaries).header[0]).toBe('Answering (100 + 8 tokens)');
    expect(decodingTable(summaries).rows[1]).toEqual([
      'engine, with adapter',
      '15',
      '2.00 x',
      '',
      '',
      '150',
      '2.00 x',
      '',
      '800',
      '900',
    ]);
  });
});

describe('findDifferentLosses', () => {
  const losses = (...values: number[]) =>
    findDifferentLosses(
      values.map((firstLossNats, i) => ({
        case: `${i}`,
        label: `case ${i}`,
        tokensPerSecond: 1,
        runs: [1],
        stepsPeakRssBytes: 1,
        peakRssBytes: 1,
        firstLossNats,
      })),
    );

  it('accepts the rounding of float32', () => {
    expect(losses(2, 2.0001, 1.9999)).toEqual([]);
  });

  it('lets a case that computes in fewer bits be further away', () => {
    const [whole, bfloat16] = ['whole', 'bfloat16'].map((name, i) => ({
      case: name,
      label: name,
      tokensPerSecond: 1,
      runs: [1],
      stepsPeakRssBytes: 1,
      peakRssBytes: 1,
      firstLossNats: 2 + i / 100,
    }));
    expect(findDifferentLosses([whole!, bfloat16!])).toEqual([]);
    expect(findDifferentLosses([whole!, { ...bfloat16!, firstLossNats: 2.1 }])).toHaveLength(1);
  });

  it.each([2.01, 1.99, Number.NaN])('names a case whose first loss is %d beside 2', loss => {
    expect(losses(2, 2, loss)).toEqual([`case 2: first loss ${loss}, case 0 2`]);
  });
});

describe('tables', () => {
  const table = {
    header: ['name', 'speed'],
    rows: [
      ['short', '1'],
      ['a long name', '12345678'],
    ],
  };

  it('line columns up for a terminal', () => {
    expect(formatColumns(table)).toBe(
      ['name            speed', 'short               1', 'a long name  12345678'].join('\n'),
    );
  });

  it('become Markdown', () => {
    expect(formatMarkdown(table)).toBe(
      ['| name | speed |', '| --- | ---: |', '| short | 1 |', '| a long name | 12345678 |'].join('\n'),
    );
  });
});

describe('replaceFigures', () => {
  const page = readFileSync(new URL('../../../bench/README.md', import.meta.url), 'utf8');

  it('changes nothing of the committed page but its block of figures, however often', () => {
    const once = replaceFigures(page, 'first');
    const twice = replaceFigures(once, 'second');
    expect(twice).toBe(once.replace('\nfirst\n', '\nsecond\n'));
    const outside = (text: string) => text.split(/<!-- .*figures.* -->/s).map(part => part.length);
    expect(outside(twice)).toEqual(outside(page));
  });

  it('refuses a page without the block', () => {
    expect(() => replaceFigures('# Benchmark', 'figures')).toThrow('<!-- end of figures -->');
  });
});
