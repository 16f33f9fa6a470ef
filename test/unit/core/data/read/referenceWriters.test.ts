import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import type { Example } from '../../../../../src/core/data/example.ts';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { TuneError } from '../../../../../src/shared/errors.ts';
import { makeFile } from '../dataFiles.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../../../fixtures/datasets/${name}`, import.meta.url));
const expected = (JSON.parse(readFileSync(fixture('rows.json'), 'utf8')) as { question: string; answer: string }[]).map(
  ({ question, answer }) => [question, answer],
);
const pairs = (examples: readonly Example[]) =>
  examples.map(example => (example.kind === 'chat' ? example.messages.map(({ content }) => content) : []));

const names = ['rows.json', 'rows.jsonl', 'rows.csv', 'rows.tsv', 'rows.jsonl.gz', 'rows-v2.parquet', 'chats.parquet'];
const codecs = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'].map(codec => `rows-${codec}.parquet`);

describe('files of the reference writers', () => {
  it.each([...names, ...codecs])('%s reads back row by row', async name => {
    const { examples, brokenRows, errorCount } = await readDataset(fixture(name));
    expect(pairs(examples)).toEqual(expected);
    expect([brokenRows, errorCount]).toEqual([0, 0]);
  });

  it('says in which encoding a file is and reads the same rows', async () => {
    expect(await readDataset(fixture('rows-gb18030.csv'))).toMatchObject({ encoding: 'GB18030' });
    expect(pairs((await readDataset(fixture('rows-gb18030.csv'))).examples)).toEqual(expected);
    const utf16 = await readDataset(fixture('rows-utf16.tsv'));
    expect(utf16).toMatchObject({ encoding: 'UTF-16 LE with BOM', format: 'tsv' });
    expect(pairs(utf16.examples)).toEqual(expected);
  });

  it.each(['rows.json', 'rows.csv', 'rows.tsv', 'rows-snappy.parquet'])(
    '%s packed as gzip reads the same',
    async name => {
      const { examples, encoding } = await readDataset(makeFile(`${name}.gz`, gzipSync(readFileSync(fixture(name)))));
      expect(pairs(examples)).toEqual(expected);
      expect(encoding).toMatch(/, gzip$/);
    },
  );

  it('what a Parquet writer was given reads back, whatever the texts', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter(value => value.trim() !== '');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 30 }), async rows => {
        const bytes = parquetWriteBuffer({
          columnData: [
            { name: 'question', data: rows.map(([question]) => question), type: 'STRING' },
            { name: 'answer', data: rows.map(([, answer]) => answer), type: 'STRING' },
          ],
        });
        expect(pairs((await readDataset(makeFile('some.parquet', new Uint8Array(bytes)))).examples)).toEqual(rows);
      }),
      { numRuns: 40 },
    );
  });
});

describe('damaged files', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
  const mutate = (bytes: Buffer, changes: readonly (readonly [number, number])[]) => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of changes) copy[at % copy.length] = value;
    return copy;
  };

  it.each([
    ...['rows.json', 'rows.jsonl', 'rows.csv', 'rows.tsv', 'rows.jsonl.gz', 'rows-gb18030.csv', 'rows-utf16.tsv'],
    ...['rows-none.parquet', 'rows-snappy.parquet', 'rows-zstd.parquet', 'rows-v2.parquet', 'chats.parquet'],
  ])('%s with changed bytes gives all rows or a clear error', { timeout: 60_000 }, async name => {
    const bytes = readFileSync(fixture(name));
    const extension = name.slice(name.indexOf('.'));
    const file = makeFile(`damaged${extension}`, '');
    await fc.assert(
      fc.asyncProperty(damage, async changes => {
        writeFileSync(file, mutate(bytes, changes));
        const dataset = await readDataset(file).catch((error: unknown) => error as TuneError);
        if (dataset instanceof Error) {
          expect(dataset).toBeInstanceOf(TuneError);
          expect(dataset.hint).toBeTruthy();
          return;
        }
        expect(dataset.usableRows + dataset.brokenRows).toBe(dataset.rows);
        // A Parquet file counts its rows itself; text formats may gain or lose row borders where their bytes changed.
        const lost = extension === '.parquet' ? 0 : extension === '.jsonl.gz' ? 0 : 2 * changes.length;
        if (extension !== '.csv' && extension !== '.tsv')
          expect(dataset.rows).toBeGreaterThanOrEqual(expected.length - lost);
      }),
      { numRuns: 150, seed: 5 },
    );
  });

  it.each(['rows.jsonl.gz', 'rows-snappy.parquet'])('%s cut off anywhere is refused', async name => {
    const bytes = readFileSync(fixture(name));
    const extension = name.slice(name.indexOf('.'));
    for (let share = 0.05; share < 1; share += 0.05) {
      const file = makeFile(`cut${extension}`, bytes.subarray(0, Math.floor(share * bytes.length)));
      await expect(readDataset(file)).rejects.toBeInstanceOf(TuneError);
    }
  });

  it.each(['chats.parquet', 'rows-snappy.parquet'])(
    '%s with impossible numbers anywhere ends soon',
    { timeout: 60_000 },
    async name => {
      const bytes = readFileSync(fixture(name));
      const file = makeFile('damaged.parquet', '');
      for (let at = 4; at < bytes.length; at += 16) {
        const copy = Buffer.from(bytes);
        copy.fill(0xff, at, at + 5);
        writeFileSync(file, copy);
        const dataset = await readDataset(file).catch((error: unknown) => error);
        if (dataset instanceof Error) expect(dataset).toBeInstanceOf(TuneError);
        else expect(dataset).toMatchObject({ rows: expected.length });
      }
    },
  );
});
