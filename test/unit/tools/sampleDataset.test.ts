import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../src/core/data/readDataset.ts';
import { splitExamples } from '../../../src/core/data/split/splitExamples.ts';
import { generateSampleDataset, serializeSampleDataset } from '../../../src/tools/sampleDataset.ts';
import { listSampleFacts } from '../../../src/tools/sampleFacts.ts';

const file = fileURLToPath(new URL('../../../media/sample/harbour-museum.jsonl', import.meta.url));

describe('generateSampleDataset', () => {
  it('is what media/sample holds', () => {
    expect(readFileSync(file, 'utf8')).toBe(serializeSampleDataset());
  });

  it('reads without a problem as questions and answers, every question once', async () => {
    const dataset = await readDataset(file);
    expect(dataset.mapping).toMatchObject({ confidence: 1, mapping: { kind: 'questionAnswer' } });
    expect(dataset.problems).toEqual([]);
    expect(dataset.usableRows).toBeGreaterThanOrEqual(300);
    const split = splitExamples(dataset.examples, { seed: 1, evalRatio: 0.1, testRatio: 0 });
    expect(split.groups).toBe(dataset.rows);
  });

  it('asks for each fact in at least three ways, so that held-out questions can be answered from training rows', () => {
    const facts = listSampleFacts();
    expect(facts.every(fact => fact.questions.length >= 3)).toBe(true);
    expect(new Set(facts.map(fact => fact.answer)).size).toBe(facts.length);
    expect(facts.flatMap(fact => fact.questions)).toHaveLength(generateSampleDataset().length);
  });
});
