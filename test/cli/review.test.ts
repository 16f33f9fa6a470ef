import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePlace, runCli } from '../support/programs.ts';

describe('tuning-fork review', () => {
  it('lists rows, takes decisions on them and counts, without touching the dataset', async () => {
    const place = makePlace();
    const source = join(place.folder, 'rows.jsonl');
    const text = [1, 2, 3]
      .map(n => `${JSON.stringify({ question: `What is ${n}?`, answer: `It is ${n}.` })}\n`)
      .join('');
    writeFileSync(source, text);
    const listed = await runCli(['review', 'list', 'rows.jsonl', '--json'], place);
    expect(listed.lines.slice(0, 3)).toMatchObject(
      [1, 2, 3].map(line => ({ type: 'reviewed', line, state: 'pending' })),
    );
    const key = (listed.lines[1] as { key?: string }).key!;
    const by = ['--reviewer', 'ada', '--json'];
    const rejected = ['review', 'set', 'rows.jsonl', '--key', key, '--decision', 'reject', '--note', 'wrong', ...by];
    expect((await runCli(rejected, place)).code).toBe(0);
    const edited = JSON.stringify({
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
    });
    const edit = ['review', 'set', 'rows.jsonl', '--line', '3', '--decision', 'edit', '--edited', edited, ...by];
    const last = await runCli(edit, place);
    expect(last.lines.at(-1)).toMatchObject({ rows: 3, rejected: 1, edited: 1, pending: 1, orphaned: 0 });
    const shown = await runCli(['review', 'list', 'rows.jsonl', '--state', 'reject', '--json'], place);
    expect(shown.lines[0]).toMatchObject({ key, line: 2, reviewer: 'ada', note: 'wrong' });
    expect(readFileSync(source, 'utf8')).toBe(text);
    expect(readFileSync(`${source}.review.jsonl`, 'utf8').trim().split('\n')).toHaveLength(2);
    for (const wrong of [
      ['review', 'set', 'rows.jsonl', '--line', '9', '--decision', 'accept'],
      ['review', 'set', 'rows.jsonl', '--line', '1', '--decision', 'edit'],
      ['review', 'look', 'rows.jsonl'],
    ]) {
      expect((await runCli(wrong, place)).code).toBe(2);
    }
    expect(existsSync(join(place.folder, 'rows.jsonl.review.jsonl.tmp'))).toBe(false);
  });
});
