import { describe, expect, it } from 'vitest';
import { parseCleaning } from '../../../../../src/core/data/clean/parseCleaning.ts';
import { readSources } from '../../../../../src/core/jobs/prepare/readSources.ts';
import { defaultHyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import type { RunRequest } from '../../../../../src/shared/recipe.ts';
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
