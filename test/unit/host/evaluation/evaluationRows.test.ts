import { describe, expect, it } from 'vitest';
import { EvaluationBook, pageRows } from '../../../../src/host/evaluation/evaluationRows.ts';
import { planEvaluation } from '../../../../src/host/evaluation/planEvaluation.ts';
import { evaluationRequestSchema } from '../../../../src/shared/evaluation.ts';
import type { RowFilter } from '../../../../src/shared/evaluationView.ts';

const filter: RowFilter = { candidate: 'adapter-1', opponent: 'base', choice: 'all', offset: 0 };

function makeBook(rows: number): EvaluationBook {
  const book = new EvaluationBook();
  for (let row = 0; row < rows; row++) {
    const base = { row, candidate: 'base', kind: 'answer', end: 'end', text: row % 3 === 0 ? 'one two three' : 'one' };
    const tuned = { ...base, candidate: 'adapter-1', text: row % 3 === 1 ? 'one two three' : 'one' };
    book.add([
      JSON.stringify({
        kind: 'row',
        row,
        file: '/d.jsonl',
        line: row + 1,
        question: `q ${row}`,
        reference: 'one two three',
      }),
      JSON.stringify(base),
      JSON.stringify(tuned),
      JSON.stringify({ ...tuned, text: 'a second answer never counts' }),
      '{"kind":"answer","row":',
    ]);
  }
  return book;
}

describe('EvaluationBook', () => {
  it('leaves the rows on which one candidate does worse, better or as well', () => {
    const book = makeBook(9);
    const rowsOf = (choice: RowFilter['choice']) => book.list({ ...filter, choice }, null).rows.map(({ row }) => row);
    expect(rowsOf('all')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(rowsOf('worse')).toEqual([0, 3, 6]);
    expect(rowsOf('better')).toEqual([1, 4, 7]);
    expect(rowsOf('same')).toEqual([2, 5, 8]);
  });

  it('shows a page at a time, and the last where a filter leaves fewer', () => {
    const book = makeBook(pageRows + 5);
    expect(book.list({ ...filter, offset: pageRows }, null).rows).toHaveLength(5);
    const { filter: shown, rows, total } = book.list({ ...filter, offset: 10 * pageRows }, null);
    expect([shown.offset, rows.length, total]).toEqual([pageRows, 5, pageRows + 5]);
  });

  it('opens a row with every answer that is there', () => {
    const { opened } = makeBook(2).list(filter, 1);
    expect(opened).toMatchObject({ row: 1, line: 2, reference: 'one two three' });
    expect(opened!.answers.map(({ candidate, text }) => [candidate, text])).toEqual([
      ['base', 'one'],
      ['adapter-1', 'one two three'],
    ]);
    expect(makeBook(2).list(filter, 7).opened).toBeNull();
  });
});

describe('planEvaluation', () => {
  const run = { path: '/ws/.tuning-fork/runs/a', id: 'a', name: 'medquad' };
  const choice = {
    run,
    model: 'tiny',
    hasBase: true,
    hasPrompt: true,
    adapters: [run],
    task: null,
    split: 'heldOut' as const,
    maxRows: 25,
    glossaryFields: [],
  };

  it('makes a request that the trainer takes, of what was chosen', () => {
    const request = evaluationRequestSchema.parse(planEvaluation(choice));
    expect(request.candidates.map(({ kind }) => kind)).toEqual(['base', 'prompted', 'adapter']);
    expect(request.metrics).not.toContain('termAccuracy');
    expect(request).toMatchObject({ maxRows: 25, glossary: null, parents: ['a'] });
  });

  it('takes metrics, prompt and decoding of a task, and a glossary where fields are named', () => {
    const request = planEvaluation({ ...choice, task: 'classification', glossaryFields: ['focus'] });
    expect(request.metrics).toContain('macroF1');
    expect(request.decoding.maxTokens).toBe(16);
    expect(request.candidates[1]).toMatchObject({ system: expect.stringContaining('label') });
    expect(planEvaluation({ ...choice, glossaryFields: ['focus'] }).metrics).toContain('termAccuracy');
  });
});
