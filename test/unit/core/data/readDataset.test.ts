import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../../src/core/data/readDataset.ts';
import { TuneError } from '../../../../src/shared/errors.ts';
import { makeFile, toLines } from './dataFiles.ts';

const row = (n: number) => ({ question: `What is ${n}?`, answer: `It is ${n}.` });
const lines = (dataset: { examples: readonly { origin: { line: number } }[] }) =>
  dataset.examples.map(e => e.origin.line);

describe('readDataset', () => {
  it('keeps the last line when the file has no newline', async () => {
    const file = makeFile('a.jsonl', `${JSON.stringify(row(1))}\n${JSON.stringify(row(2))}`);
    expect(lines(await readDataset(file))).toEqual([1, 2]);
  });

  it('gives the lines of a JSONL file for any mixture of blank lines, CRLF and byte order mark', async () => {
    const file = makeFile('mixed.jsonl', '');
    const filler = fc.constantFrom('\n', '\r\n', '  \n', '\t\r\n');
    const end = fc.constantFrom('\n', '\r\n');
    const rows = fc.array(fc.tuple(fc.array(filler, { maxLength: 3 }), end), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(rows, fc.boolean(), async (parts, hasBom) => {
        let text = '';
        const expected: number[] = [];
        for (const [n, [blank, newline]] of parts.entries()) {
          text += blank.join('');
          expected.push(text.split('\n').length);
          text += JSON.stringify(row(n)) + newline;
        }
        writeFileSync(file, (hasBom ? '\ufeff' : '') + text);
        const dataset = await readDataset(file);
        expect(lines(dataset)).toEqual(expected);
        expect(dataset.encoding).toBe(hasBom ? 'UTF-8 with BOM' : 'UTF-8');
      }),
      { numRuns: 60 },
    );
  });

  it('gives the line on which each CSV row starts for any mixture of blank lines, CRLF and quoted line breaks', async () => {
    const file = makeFile('mixed.csv', '');
    const newline = fc.constantFrom('\n', '\r\n');
    const value = fc.array(fc.constantFrom('a', 'é', '漢', ',', '"', '\n', '\r\n', ' ', '😀'), {
      minLength: 1,
      maxLength: 6,
    });
    const rows = fc.array(fc.tuple(fc.array(newline, { maxLength: 2 }), value, newline), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(rows, newline, fc.boolean(), async (parts, headerEnd, hasBom) => {
        let text = `question,answer${headerEnd}`;
        const expected: [number, string][] = [];
        for (const [blank, characters, end] of parts) {
          const answer = `x${characters.join('')}`;
          text += blank.join('');
          expected.push([text.split('\n').length, answer]);
          text += `q,"${answer.replaceAll('"', '""')}"${end}`;
        }
        writeFileSync(file, (hasBom ? '\ufeff' : '') + text);
        const { examples } = await readDataset(file);
        const read = examples.map(e => [e.origin.line, e.kind === 'chat' ? e.messages[1]?.content : undefined]);
        expect(read).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('gives the line on which each element of a JSON array starts, however it is laid out', async () => {
    const file = makeFile('array.json', '');
    const space = fc.array(fc.constantFrom(' ', '\n', '\r\n', '\t'), { maxLength: 3 }).map(parts => parts.join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(space, space, fc.boolean()), { minLength: 1, maxLength: 20 }), async parts => {
        let text = '[';
        const expected: number[] = [];
        for (const [n, [before, after, isIndented]] of parts.entries()) {
          text += (n > 0 ? ',' : '') + before;
          expected.push(text.split('\n').length);
          text += JSON.stringify(row(n), null, isIndented ? 2 : 0) + after;
        }
        writeFileSync(file, `${text}]\n`);
        expect(lines(await readDataset(file))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('reads the rows that an object keeps under data', async () => {
    const text = JSON.stringify({ version: 1, tags: [{ a: 1 }], data: [row(1), row(2)] }, null, 2);
    const dataset = await readDataset(makeFile('wrapped.json', text));
    expect(dataset.format).toBe('json');
    expect(dataset.rows).toBe(2);
  });

  it('reads one object with messages as one row', async () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ];
    expect((await readDataset(makeFile('one.json', JSON.stringify({ messages }, null, 2)))).examples).toHaveLength(1);
  });

  it('reads JSONL in a file named .json and an array in a file named .jsonl', async () => {
    expect((await readDataset(makeFile('a.json', toLines([row(1), row(2)])))).format).toBe('jsonl');
    expect((await readDataset(makeFile('a.jsonl', JSON.stringify([row(1), row(2)], null, 1)))).format).toBe('json');
  });

  it('collects every broken line with line, code and fix, and keeps the others', async () => {
    const text = [
      JSON.stringify(row(1)),
      '{"question": "a", "answer": ',
      '',
      "{'question': 'a'}",
      '{"question": "a", "answer": NaN}',
      '{"question": "b"}',
      '[1]',
      JSON.stringify(row(2)),
    ].join('\n');
    const file = makeFile('broken.jsonl', text);
    const dataset = await readDataset(file);
    expect(dataset.problems.map(({ line, code }) => [line, code])).toEqual([
      [2, 'json-invalid'],
      [4, 'json-invalid'],
      [5, 'json-invalid'],
      [6, 'field-missing'],
      [7, 'row-type'],
    ]);
    expect(dataset.problems[1]?.message).toBe(`${file}:4: expected a name in double quotes at column 2, got '''`);
    expect(dataset.problems[2]?.fix).toMatch(/null/);
    expect(dataset.problems.every(problem => problem.fix.length > 0 && problem.file === file)).toBe(true);
    expect([dataset.rows, dataset.usableRows, dataset.brokenRows]).toEqual([7, 2, 5]);
    expect(lines(dataset)).toEqual([1, 8]);
  });

  it('bounds the problems that are kept and counts them all', async () => {
    const file = makeFile('many.jsonl', toLines([row(0)]) + '{oops}\n'.repeat(500));
    const dataset = await readDataset(file, { maxProblems: 10 });
    expect(dataset.problems).toHaveLength(10);
    expect(dataset.errorCount).toBe(500);
    expect(dataset.countsByCode).toEqual({ 'json-invalid': 500 });
  });

  it('reports rows with too many or too few values in a CSV file', async () => {
    const dataset = await readDataset(makeFile('a.csv', 'question;answer\na;b\na;b;c\nd\n'));
    expect(dataset.delimiter).toBe(';');
    expect(dataset.problems.map(({ line, code }) => [line, code])).toEqual([
      [3, 'csv-columns'],
      [4, 'csv-columns'],
    ]);
  });

  it('tells how far it is and hashes the source', async () => {
    const text = toLines(Array.from({ length: 20_000 }, (_, n) => ({ ...row(n), pad: 'é'.repeat(60) })));
    const file = makeFile('big.jsonl', text);
    const seen: [number, number][] = [];
    const dataset = await readDataset(file, { onProgress: (done, total) => seen.push([done, total]) });
    expect(dataset.sha256).toBe(createHash('sha256').update(text).digest('hex'));
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toEqual([dataset.fileBytes, dataset.fileBytes]);
    expect(dataset.examples).toHaveLength(20_000);
  });

  it('stops when it is cancelled', async () => {
    const file = makeFile('big.jsonl', toLines(Array.from({ length: 60_000 }, (_, n) => row(n))));
    const controller = new AbortController();
    const reading = readDataset(file, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    await expect(
      readDataset(makeFile('a.csv', 'question,answer\na,b\n'), { signal: controller.signal }),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('can be cancelled while the elements of a JSON document are mapped', async () => {
    const file = makeFile('big.json', JSON.stringify(Array.from({ length: 20_000 }, (_, n) => row(n))));
    const controller = new AbortController();
    const reading = readDataset(file, {
      signal: controller.signal,
      onProgress: (done, total) => done === total && setImmediate(() => setImmediate(() => controller.abort())),
    });
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });

  it.each([
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]), /gzip/],
    ['binary data', Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 37) & 255)), /binary/],
    [
      'a character cut by the end',
      Buffer.from(`${toLines([row(1)])}{"a":"é`).subarray(0, -1),
      /:2: .*end in the middle/,
    ],
  ])('refuses %s and says how to convert it', async (_, bytes, message) => {
    const error = await readDataset(makeFile('data.jsonl', bytes)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TuneError);
    expect(error).toMatchObject({ code: 'dataset-unreadable' });
    expect((error as TuneError).message).toMatch(message);
    expect((error as TuneError).hint).toMatch(/UTF-8|[Cc]opy or download/);
  });

  it.each([
    ['one row written without spaces', 'row.json', '{"question":"a","answer":"b"}'],
    ['the same under another name', 'row.txt', '{"question":"a","answer":"b"}\n'],
    ['rows behind a text', 'rows.json', '{"version":"1","data":[{"question":"a","answer":"b"}]}'],
  ])('reads %s', async (_, name, text) => {
    const { format, examples } = await readDataset(makeFile(name, text));
    expect(format).toBe('json');
    expect(examples.map(example => example.origin.line)).toEqual([1]);
  });

  it('finds the line of a wrong byte beyond the first chunk', async () => {
    const good = toLines(Array.from({ length: 40_000 }, (_, n) => row(n)));
    const bytes = Buffer.concat([Buffer.from(good), Buffer.from('{"question":"caf\xe9"}\n', 'latin1')]);
    await expect(readDataset(makeFile('late.jsonl', bytes))).rejects.toMatchObject({ line: 40_001 });
  });

  it.each([
    ['an empty file', 'a.jsonl', '', 'dataset-empty'],
    ['a file of white space', 'a.json', ' \n\n ', 'dataset-empty'],
    ['an empty array', 'a.json', '[]', 'dataset-empty'],
    ['a header without rows', 'a.csv', 'question,answer\n', 'dataset-empty'],
    ['a truncated JSON array', 'a.json', '[\n{"question": "a", "answer": "b"},\n{"question"', 'dataset-invalid'],
    ['a quote that never closes', 'a.csv', 'question,answer\na,b\nc,"d\ne,f\n', 'dataset-invalid'],
    ['equal column names', 'a.csv', 'question,question\na,b\n', 'dataset-invalid'],
    ['nothing but broken lines', 'a.jsonl', '{a\n{b\n', 'dataset-invalid'],
    ['fields that no mapping knows', 'a.jsonl', '{"foo": 1}\n', 'dataset-invalid'],
    ['prose', 'a.dat', 'Once upon a time\n', 'dataset-unreadable'],
  ])('refuses %s with file and line', async (_, name, text, code) => {
    const file = makeFile(name, text);
    const error = (await readDataset(file).catch((e: unknown) => e)) as TuneError;
    expect(error).toMatchObject({ name: 'TuneError', code, file });
    expect(error.line).toBeGreaterThan(0);
    expect(error.message.startsWith(file)).toBe(true);
    expect(error.hint).toBeTruthy();
  });

  it('names the line on which an unclosed quote starts and on which a JSON array breaks', async () => {
    await expect(readDataset(makeFile('a.csv', 'question,answer\na,b\nc,"d\ne,f\n'))).rejects.toMatchObject({
      line: 3,
    });
    await expect(readDataset(makeFile('a.json', '[\n{"a": 1},\n{"b"\n: 2,,}]'))).rejects.toMatchObject({ line: 4 });
  });

  it('refuses a missing file', async () => {
    const file = makeFile('gone.jsonl', '');
    rmSync(file);
    await expect(readDataset(file)).rejects.toMatchObject({ code: 'dataset-unreadable', file });
  });
});
