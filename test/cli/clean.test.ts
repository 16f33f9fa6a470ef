import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePlace, runCli } from '../support/programs.ts';

const rows = [
  { question: '<b>Who</b> was Ada?', answer: 'The keeper.' },
  { question: 'Who was Ada?', answer: 'The keeper.' },
  { question: 'Mail?', answer: 'ada@example.org' },
];

describe('tuning-fork clean', () => {
  it('shows what each step would do, writes nothing without --out, and with it a file and a report that makes it again', async () => {
    const place = makePlace();
    const source = join(place.folder, 'rows.jsonl');
    const text = rows.map(row => `${JSON.stringify(row)}\n`).join('');
    writeFileSync(source, text);
    const steps = ['--steps', 'stripHtml,dropDuplicates,maskPersonalData:kinds=email', '--json'];
    const preview = await runCli(['clean', 'rows.jsonl', ...steps], place);
    expect(preview.code).toBe(0);
    expect(preview.lines).toMatchObject([
      { type: 'cleaning', step: 'stripHtml', rowsBefore: 3, rowsAfter: 3, removed: 0, changed: 1 },
      { type: 'changed', line: 1, before: '<b>Who</b> was Ada?', after: 'Who was Ada?' },
      { type: 'cleaning', step: 'dropDuplicates', rowsBefore: 3, rowsAfter: 2, removed: 1 },
      { type: 'removed', line: 2, reason: `equals ${source}:1` },
      { type: 'cleaning', step: 'maskPersonalData', changed: 1 },
      { type: 'changed', line: 3, after: '[EMAIL]' },
      { type: 'result', rowsBefore: 3, rowsAfter: 2, report: null },
    ]);
    const written = await runCli(['clean', 'rows.jsonl', ...steps, '--out', 'clean.jsonl'], place);
    expect(written.code).toBe(0);
    const out = join(place.folder, 'clean.jsonl');
    const cleaned = readFileSync(out, 'utf8');
    expect(cleaned.trim().split('\n')).toHaveLength(2);
    const again = ['clean', 'rows.jsonl', '--recipe', 'clean.jsonl.report.json', '--out', 'again.jsonl', '--json'];
    expect((await runCli(again, place)).code).toBe(0);
    expect(readFileSync(join(place.folder, 'again.jsonl'), 'utf8')).toBe(cleaned);
    expect(readFileSync(source, 'utf8')).toBe(text);
    expect((await runCli(['clean', 'rows.jsonl', ...steps, '--out', 'clean.jsonl'], place)).code).toBe(2);
    expect((await runCli(['clean', 'rows.jsonl', '--steps', 'polish', '--out', 'x.jsonl'], place)).code).toBe(2);
    for (const removed of ['x.jsonl', './x.jsonl.report.json']) {
      const one = ['--out', 'x.jsonl', '--removed', removed, '--replace'];
      expect((await runCli(['clean', 'rows.jsonl', ...steps, ...one], place)).code).toBe(2);
    }
    expect(existsSync(join(place.folder, 'x.jsonl'))).toBe(false);
  });

  it('finds with inspect --check what it mends', async () => {
    const place = makePlace();
    writeFileSync(join(place.folder, 'rows.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
    const { code, lines } = await runCli(['inspect', 'rows.jsonl', '--check', '--json'], place);
    expect(code).toBe(0);
    const codes = lines.filter(({ type }) => type === 'problem').map(line => (line as { code?: string }).code);
    expect(codes).toEqual(['html', 'personalData']);
    const long = { question: 'And then?', answer: 'She kept the light for years. '.repeat(8) };
    writeFileSync(join(place.folder, 'rows.jsonl'), [rows[1], long].map(row => `${JSON.stringify(row)}\n`).join(''));
    const counted = ['inspect', 'rows.jsonl', '--check', '--model', 'tiny', '--context', '64', '--json'];
    const found = (await runCli(counted, place)).lines.filter(({ type }) => type === 'problem');
    expect(found).toMatchObject([{ code: 'overContext', line: 2, fix: expect.stringContaining('dropOverContext') }]);
  });
});
