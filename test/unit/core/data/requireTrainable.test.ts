import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../../src/core/data/readDataset.ts';
import { requireTrainable } from '../../../../src/core/data/requireTrainable.ts';
import { makeFile, toLines } from './dataFiles.ts';

const chat = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];

describe('requireTrainable', () => {
  it('refuses a file without any assistant text', async () => {
    const file = makeFile('mute.jsonl', toLines([{ messages: [chat[0]] }, { messages: [chat[0]] }]));
    const dataset = await readDataset(file);
    expect(() => requireTrainable(dataset)).toThrow(
      /:1: expected at least one row with assistant text, got none in 2 rows/,
    );
  });

  it('refuses broken rows with the line of the first, unless told to skip them', async () => {
    const dataset = await readDataset(makeFile('a.jsonl', `${toLines([{ messages: chat }])}{\n{\n`));
    expect(() => requireTrainable(dataset)).toThrow(/a\.jsonl:2: .*\(and 1 more broken row of 3\)/);
    expect(() => requireTrainable(dataset, { skipBrokenRows: true })).not.toThrow();
  });
});
