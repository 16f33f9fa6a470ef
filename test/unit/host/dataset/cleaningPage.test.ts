import { describe, expect, it } from 'vitest';
import { writeCleaningPage } from '../../../../src/host/dataset/cleaningPage.ts';

const step = { step: 'stripHtml' as const, rowsBefore: 3, rowsAfter: 2, removed: 1, changed: 2 };

describe('writeCleaningPage', () => {
  const page = writeCleaningPage('my_rows.jsonl', {
    rowsBefore: 3,
    rowsAfter: 2,
    brokenRows: 1,
    steps: [
      {
        ...step,
        removedRows: [{ file: '/data/my rows.jsonl', line: 2, reason: 'nothing is left of it', text: '<br>' }],
        changedRows: [{ file: '/data/my rows.jsonl', line: 1, before: '![x](http://a.example/`b`)', after: 'x' }],
      },
    ],
    written: null,
  });

  it('has counts before and after each step, and the lines', () => {
    expect(page).toContain('# Cleaning my\\_rows.jsonl');
    expect(page).toContain('3 rows before, 2 after. 1 rows cannot be read');
    expect(page).toContain('| stripHtml | 3 | 2 | 1 | 2 |');
    expect(page).toContain('- line 2 nothing is left of it: ` <br> `');
    expect(page).toContain('- ... and 1 more');
  });

  it('shows text of a dataset as code, so that no picture is loaded and no link made of it', () => {
    expect(page).toContain('`` ![x](http://a.example/`b`) `` → ` x `');
  });
});
