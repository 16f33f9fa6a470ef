import { describe, expect, it } from 'vitest';
import { parseCleaning } from '../../../../../src/core/data/clean/parseCleaning.ts';
import { addDecisions, reviewPath } from '../../../../../src/core/data/review/reviewFile.ts';
import { rowKey } from '../../../../../src/core/data/review/reviewRows.ts';
import { readSources } from '../../../../../src/core/jobs/prepare/readSources.ts';
import { defaultHyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import type { RunRequest } from '../../../../../src/shared/recipe.ts';
import type { ReviewLine, ReviewPolicy } from '../../../../../src/shared/review.ts';
import { makeFile, toLines } from '../../data/dataFiles.ts';

const rows = Array.from({ length: 40 }, (_, n) => [
  { question: `What is <b>${n}</b>?`, answer: `It is the number ${n}.` },
  { question: `What is <b>${n}</b>?`, answer: `It is the number ${n}.` },
]).flat();

describe('readSources', () => {
  const read = async (steps: string | undefined) => {
    const cleaning = steps === undefined ? {} : { cleaning: parseCleaning(steps) };
    const path = makeFile('rows.jsonl', toLines(rows));
    const request: RunRequest = {
      name: 'a',
      model: 'tiny',
      datasets: [{ path, mapping: null, ...cleaning }],
      hyperparameters: { ...defaultHyperparameters, evalRatio: 0.2, testRatio: 0.1 },
      overrides: [],
      parents: [],
    };
    const [source] = await readSources(request, undefined, () => undefined);
    const sideOf = (side: string) =>
      source!.dataset.examples
        .filter((_, row) => source!.split.rows[row] === side)
        .map(({ origin: { line }, ...rest }) => ({ line, ...rest }));
    return { split: source!.split, train: sideOf('train'), heldOut: sideOf('heldOut'), test: sideOf('test') };
  };

  it('cleans the training rows and leaves held-out and test rows as they are', async () => {
    const [raw, cleaned] = [await read(undefined), await read('stripHtml,dropDuplicates')];
    const side = ({ heldOut, test }: typeof raw) => [...heldOut, ...test].map(({ line }) => line);
    expect(side(cleaned)).toEqual(side(raw));
    expect(JSON.stringify(cleaned.heldOut)).toContain('<b>');
    expect(cleaned.train).toHaveLength(raw.train.length / 2);
    expect(JSON.stringify(cleaned.train)).not.toContain('<b>');
    expect(cleaned.split.counts).toEqual({ ...raw.split.counts, train: cleaned.train.length });
  });

  it('refuses to clean everything away', async () => {
    await expect(read('dropShort:minCharacters=1000')).rejects.toMatchObject({ code: 'dataset-empty' });
  });
});

describe('readSources with a review beside the dataset', () => {
  const ask = (n: number) => ({ question: `What is ${n}?`, answer: `The number ${n}.` });
  const keyOf = (n: number) =>
    rowKey({
      kind: 'chat',
      messages: [
        { role: 'user', content: ask(n).question },
        { role: 'assistant', content: ask(n).answer },
      ],
      origin: { file: '', line: 1 },
    });
  const decide = (n: number, rest: Pick<ReviewLine, 'decision'> & Partial<ReviewLine>): ReviewLine => ({
    row: keyOf(n),
    at: '2026-03-01T10:00:00.000Z',
    reviewer: 'ada',
    ...rest,
  });
  const edited = {
    messages: [
      { role: 'user' as const, content: 'And 2?' },
      { role: 'assistant' as const, content: 'Two.' },
    ],
  };
  const read = async (reviewedRows: ReviewPolicy, lines: readonly ReviewLine[]) => {
    const path = makeFile('reviewed.jsonl', toLines(Array.from({ length: 20 }, (_, n) => ask(n))));
    if (lines.length > 0) addDecisions(reviewPath(path), lines);
    const hyperparameters = { ...defaultHyperparameters, evalRatio: 0.2, reviewedRows };
    const datasets = [{ path, mapping: null }];
    const request: RunRequest = { name: 'a', model: 'tiny', datasets, hyperparameters, overrides: [], parents: [] };
    const [source] = await readSources(request, undefined, () => undefined);
    const { dataset, split, notes } = source!;
    return { lines: dataset.examples.map(({ origin }) => origin.line), dataset, split, notes };
  };
  const decisions = [
    decide(0, { decision: 'reject' }),
    decide(2, { decision: 'edit', edited }),
    ...[4, 5, 6, 7, 8, 9, 10, 11].map(n => decide(n, { decision: 'accept' })),
  ];

  it('leaves rejected rows out of every side and takes edited ones as edited', async () => {
    const { lines, dataset, notes } = await read('notRejected', decisions);
    expect(lines).toEqual(Array.from({ length: 19 }, (_, n) => n + 2));
    expect(dataset.examples[1]).toMatchObject({ messages: edited.messages, origin: { line: 3 } });
    expect(notes).toEqual(['the review left out 1 rejected rows and replaced 1 edited ones']);
  });

  it('trains on accepted and edited rows alone where that is asked for', async () => {
    const { lines, split } = await read('accepted', decisions);
    const trained = lines.filter((_, row) => split.rows[row] === 'train');
    expect(trained.length).toBeGreaterThan(3);
    expect(trained.every(line => [3, 5, 6, 7, 8, 9, 10, 11, 12].includes(line))).toBe(true);
    expect(split.counts.heldOut).toBeGreaterThan(0);
    await expect(read('accepted', [])).rejects.toMatchObject({ code: 'dataset-empty' });
  });

  it('takes the file as it is where the review is not to count', async () => {
    expect((await read('ignore', decisions)).lines).toHaveLength(20);
  });
});
