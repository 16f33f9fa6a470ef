import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { decideRow, listQueue } from '../../../../../src/core/data/review/reviewQueue.ts';
import { makeFile, toLines } from '../dataFiles.ts';

const at = (minute: number) => `2026-03-01T10:0${minute}:00.000Z`;
const read = () =>
  readDataset(makeFile('queue.jsonl', toLines([1, 2, 3, 4, 5].map(n => ({ question: `Q${n}?`, answer: `A${n}.` })))));
const by = { reviewer: 'ada', note: '', answer: null };

describe('listQueue', () => {
  it('gives the rows in one state from a place on, and takes decided ones out of it', async () => {
    const dataset = await read();
    const pending = listQueue(dataset, { state: 'pending', offset: 1, limit: 2 });
    expect(pending).toMatchObject({ total: 5, offset: 1, rows: [{ line: 2 }, { line: 3 }] });
    const key = (line: number) => listQueue(dataset, { state: 'pending', offset: 0, limit: 9 }).rows[line - 1]!.key;
    const [second, third] = [key(2), key(3)];
    decideRow(dataset, { key: second, decision: 'reject', ...by, note: 'wrong' }, at(1));
    decideRow(dataset, { key: third, decision: 'edit', ...by, answer: 'Better.' }, at(2));
    expect(listQueue(dataset, { state: 'pending', offset: 0, limit: 9 }).rows.map(({ line }) => line)).toEqual([
      1, 4, 5,
    ]);
    expect(listQueue(dataset, { state: 'reject', offset: 0, limit: 9 }).rows).toMatchObject([
      { line: 2, reviewer: 'ada', note: 'wrong' },
    ]);
    const edited = listQueue(dataset, { state: 'edit', offset: 0, limit: 9 });
    expect(edited.counts).toEqual({ rows: 5, accepted: 0, edited: 1, rejected: 1, pending: 3, orphaned: 0 });
    expect(edited.rows[0]!.messages).toEqual([
      { role: 'user', content: 'Q3?' },
      { role: 'assistant', content: 'Better.' },
    ]);
    // The later decision counts.
    decideRow(dataset, { key: second, decision: 'accept', ...by }, at(3));
    expect(listQueue(dataset, { state: 'accept', offset: 0, limit: 9 }).rows).toMatchObject([{ line: 2 }]);
  });

  it('goes back to the last rows where a place lies behind them', async () => {
    const page = listQueue(await read(), { state: 'pending', offset: 40, limit: 2 });
    expect(page).toMatchObject({ offset: 4, rows: [{ line: 5 }] });
    expect(listQueue(await read(), { state: 'accept', offset: 3, limit: 2 })).toMatchObject({
      offset: 0,
      total: 0,
      rows: [],
    });
  });
});

describe('decideRow', () => {
  it('refuses a row that is not there and an edit without an answer', async () => {
    const dataset = await read();
    const { key } = listQueue(dataset, { state: 'pending', offset: 0, limit: 1 }).rows[0]!;
    expect(() => decideRow(dataset, { key: 'f'.repeat(16), decision: 'accept', ...by }, at(1))).toThrow(
      'expected a row',
    );
    expect(() => decideRow(dataset, { key, decision: 'edit', ...by, answer: ' ' }, at(1))).toThrow(
      'expected an answer',
    );
  });
});
