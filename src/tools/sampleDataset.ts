/** The sample dataset that ships with the extension, as the rows of media/sample/harbour-museum.jsonl. */
import { listSampleFacts } from './sampleFacts.ts';
import { Random } from './tinyCorpus/random.ts';

export interface SampleRow {
  readonly question: string;
  readonly answer: string;
}

/** Every way to ask for every fact, in an order as if written over time. */
export function generateSampleDataset(): SampleRow[] {
  const rows = listSampleFacts().flatMap(({ answer, questions }) => questions.map(question => ({ question, answer })));
  return new Random(2024).sample(rows, rows.length);
}

/** The file's text. */
export function serializeSampleDataset(): string {
  return generateSampleDataset()
    .map(row => `${JSON.stringify(row)}\n`)
    .join('');
}
