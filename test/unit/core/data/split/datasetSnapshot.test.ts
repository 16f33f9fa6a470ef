import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { compareWithSnapshot } from '../../../../../src/core/data/split/compareWithSnapshot.ts';
import { examplesOf, readDatasetSnapshot } from '../../../../../src/core/data/split/readDatasetSnapshot.ts';
import { splitExamples } from '../../../../../src/core/data/split/splitExamples.ts';
import { writeDatasetSnapshot } from '../../../../../src/core/data/split/writeDatasetSnapshot.ts';
import { makeFolder, toLines } from '../dataFiles.ts';

const rows = Array.from({ length: 20 }, (_, n) => ({ question: `What is ${n}?`, answer: `It is ${n}.` }));

async function makeSnapshot(text = `${toLines(rows)}{broken\n`) {
  const workspace = makeFolder();
  const file = join(workspace, 'faq.jsonl');
  writeFileSync(file, text);
  const root = join(workspace, '.tuning-fork');
  const dataset = await readDataset(file);
  const split = splitExamples(dataset.examples, { seed: 3, evalRatio: 0.2, testRatio: 0.1 });
  const write = () => writeDatasetSnapshot(root, dataset, split);
  return { workspace, file, root, dataset, split, write, id: write() };
}

describe('writeDatasetSnapshot and readDatasetSnapshot', () => {
  it('gives back the rows, their lines, the split and what was read', async () => {
    const { root, file, dataset, split, id } = await makeSnapshot();
    const snapshot = await readDatasetSnapshot(root, id);
    expect(snapshot.examples).toEqual(dataset.examples);
    expect(snapshot.split).toEqual(split);
    expect(snapshot.file).toBe(file);
    expect(snapshot.report).toMatchObject({
      file: 'faq.jsonl',
      sha256: dataset.sha256,
      format: 'jsonl',
      mapping: { kind: 'questionAnswer' },
      rows: 21,
      usableRows: 20,
      brokenRows: 1,
      problems: [{ line: 21, code: 'json-invalid', file: 'faq.jsonl' }],
    });
    expect(examplesOf(snapshot, 'heldOut')).toHaveLength(4);
    expect(examplesOf(snapshot, 'test')).toHaveLength(2);
  });

  it('keeps running text', async () => {
    const { root, dataset, id } = await makeSnapshot(toLines([{ text: 'One day.' }, { text: 'Another day.' }]));
    expect((await readDatasetSnapshot(root, id)).examples).toEqual(dataset.examples);
  });

  it('keeps preferences', async () => {
    const pair = { prompt: 'Hi', chosen: 'Hello.', rejected: 'What?' };
    const { root, dataset, id } = await makeSnapshot(toLines([pair, { ...pair, system: 'Be kind.', prompt: 'Bye' }]));
    const { examples } = await readDatasetSnapshot(root, id);
    expect(examples).toEqual(dataset.examples);
    expect(examples.map(({ kind }) => kind)).toEqual(['preference', 'preference']);
  });

  it('is shared by equal readings and does not depend on where the workspace stands', async () => {
    const first = await makeSnapshot();
    expect(first.write()).toBe(first.id);
    expect(readdirSync(join(first.root, 'datasets'))).toEqual([first.id]);
    expect((await makeSnapshot()).id).toBe(first.id);
  });

  it.each(['examples.jsonl', 'split.json', 'report.json'])(
    'refuses a changed %s, and writing again mends it',
    async name => {
      const { root, id, write } = await makeSnapshot();
      const path = join(root, 'datasets', id, name);
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace(/\d/, digit => String((Number(digit) + 1) % 10)),
      );
      await expect(readDatasetSnapshot(root, id)).rejects.toMatchObject({ code: 'dataset-invalid' });
      expect(write()).toBe(id);
      await expect(readDatasetSnapshot(root, id)).resolves.toMatchObject({ id });
    },
  );

  it('refuses a name that is no hash and a folder that is gone', async () => {
    const { root } = await makeSnapshot();
    await expect(readDatasetSnapshot(root, '../../etc')).rejects.toMatchObject({ code: 'dataset-invalid' });
    await expect(readDatasetSnapshot(root, '0'.repeat(64))).rejects.toMatchObject({ code: 'dataset-unreadable' });
  });

  it('removes what a process that is gone left half-written', async () => {
    const { root, id, write } = await makeSnapshot();
    mkdirSync(join(root, 'datasets', '.staged-4194305-abc'));
    mkdirSync(join(root, 'datasets', `.staged-${process.pid}-abc`));
    write();
    expect(readdirSync(join(root, 'datasets')).sort()).toEqual([`.staged-${process.pid}-abc`, id]);
  });

  it('leaves nothing behind where it cannot write', async () => {
    const { dataset, split } = await makeSnapshot();
    const blocked = join(makeFolder(), 'file');
    writeFileSync(blocked, 'x');
    expect(() => writeDatasetSnapshot(blocked, dataset, split)).toThrow(
      expect.objectContaining({ code: 'not-writable' }),
    );
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('says that a folder is read-only', async () => {
    const { dataset, split } = await makeSnapshot();
    const root = makeFolder();
    mkdirSync(join(root, 'datasets'));
    chmodSync(join(root, 'datasets'), 0o500);
    expect(() => writeDatasetSnapshot(root, dataset, split)).toThrow(expect.objectContaining({ code: 'not-writable' }));
    chmodSync(join(root, 'datasets'), 0o700);
    expect(existsSync(join(root, 'datasets'))).toBe(true);
  });
});

describe('compareWithSnapshot', () => {
  it('sees nothing in an untouched file and no row in one whose rows only moved', async () => {
    const { root, id, file, dataset } = await makeSnapshot();
    const snapshot = await readDatasetSnapshot(root, id);
    expect(await compareWithSnapshot(file, snapshot)).toEqual({ sameBytes: true, differences: [], differenceCount: 0 });
    writeFileSync(file, `\n${toLines([...rows].reverse())}`);
    expect(await compareWithSnapshot(file, snapshot)).toEqual({
      sameBytes: false,
      differences: [],
      differenceCount: 0,
    });
    expect(dataset.examples).toHaveLength(20);
  });

  it('lists added, removed and changed rows with both texts', async () => {
    const { root, id, file } = await makeSnapshot();
    const now: object[] = [...rows];
    now[2] = { ...rows[2], answer: 'It is two.' };
    now[4] = { question: 'Who?', answer: 'Nobody.' };
    now.splice(10, 1);
    now.push({ question: 'Why?', answer: 'Because.' });
    writeFileSync(file, toLines(now));
    const comparison = await compareWithSnapshot(file, await readDatasetSnapshot(root, id));
    expect(comparison).toEqual({
      sameBytes: false,
      differenceCount: 4,
      differences: [
        {
          change: 'changed',
          line: 3,
          before: 'user: What is 2?\nassistant: It is 2.',
          after: 'user: What is 2?\nassistant: It is two.',
        },
        {
          change: 'changed',
          line: 5,
          before: 'user: What is 4?\nassistant: It is 4.',
          after: 'user: Who?\nassistant: Nobody.',
        },
        { change: 'removed', line: 11, before: 'user: What is 10?\nassistant: It is 10.', after: null },
        { change: 'added', line: 20, before: null, after: 'user: Why?\nassistant: Because.' },
      ],
    });
  });

  it('counts repeated rows one by one and bounds the list', async () => {
    const { root, id, file } = await makeSnapshot(toLines([rows[0], rows[0], rows[1]]));
    const snapshot = await readDatasetSnapshot(root, id);
    writeFileSync(file, toLines([rows[0], rows[1]]));
    expect(await compareWithSnapshot(file, snapshot)).toMatchObject({
      differenceCount: 1,
      differences: [{ change: 'removed' }],
    });
    writeFileSync(file, '');
    expect(await compareWithSnapshot(file, snapshot, { limit: 2 })).toMatchObject({ differenceCount: 3 });
  });
});
