import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectDataset } from '../../../../src/core/data/inspectDataset.ts';
import { measureLengths } from '../../../../src/core/data/measureLengths.ts';
import { readDataset } from '../../../../src/core/data/readDataset.ts';
import { makeFile, toLines } from './dataFiles.ts';

describe('inspectDataset', () => {
  it('says how the file was read, what repeats, how long rows are and what the first ones hold', async () => {
    const rows = [
      { id: 1, question: 'Why?', answer: 'Because.' },
      { id: 2, question: 'why', answer: 'Because.' },
      { id: 3, question: 'Why?', answer: 'Because.' },
      { id: 4, question: 'Who?', answer: '' },
    ];
    const report = inspectDataset(await readDataset(makeFile('a.jsonl', `\n${toLines(rows)}`)), { previewRows: 1 });
    expect(report).toMatchObject({
      format: 'jsonl',
      encoding: 'UTF-8',
      fields: ['id', 'question', 'answer'],
      mapping: { mapping: { kind: 'questionAnswer' }, confidence: 0.75, alternatives: [] },
      rows: 4,
      usableRows: 3,
      brokenRows: 1,
      problems: [{ line: 5, code: 'field-empty' }],
      messagesPerExample: { 2: 3 },
      repeatedQuestions: 2,
      repeatedRows: 1,
      exampleCharacters: { min: 11, max: 12, edges: [10, 20], counts: [3] },
      assistantCharacters: { min: 8, max: 8, edges: [0, 10], counts: [3] },
      preview: [
        {
          line: 2,
          messages: [
            { role: 'user', content: 'Why?' },
            { role: 'assistant', content: 'Because.' },
          ],
        },
      ],
    });
  });

  it('shows running text and has no assistant lengths for it', async () => {
    const report = inspectDataset(await readDataset(makeFile('a.jsonl', toLines([{ text: 'One day.' }]))));
    expect(report.preview).toEqual([{ line: 1, messages: [{ role: 'text', content: 'One day.' }] }]);
    expect(report.assistantCharacters).toBeUndefined();
  });
});

describe('measureLengths', () => {
  it('counts every length once, in the bin between its edges', () => {
    const property = fc.property(fc.array(fc.nat(100_000), { minLength: 1 }), lengths => {
      const { edges, counts, min, median, mean, p95, max } = measureLengths(lengths)!;
      expect(counts).toHaveLength(edges.length - 1);
      const expected = counts.map((_, i) => lengths.filter(n => n >= edges[i]! && n < edges[i + 1]!).length);
      expect(counts).toEqual(expected);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(lengths.length);
      expect([min, max]).toEqual([Math.min(...lengths), Math.max(...lengths)]);
      expect(min <= median && median <= p95 && p95 <= max && min <= mean && mean <= max).toBe(true);
    });
    fc.assert(property);
  });
});
