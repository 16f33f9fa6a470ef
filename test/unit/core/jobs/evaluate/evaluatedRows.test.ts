import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEvaluatedData, referenceOf } from '../../../../../src/core/jobs/evaluate/evaluatedRows.ts';
import { loadGlossary } from '../../../../../src/core/jobs/evaluate/loadGlossary.ts';
import { type EvaluationRequest, evaluatedRowsSchema } from '../../../../../src/shared/evaluation.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

const { signal } = new AbortController();

describe('readEvaluatedData', () => {
  it('reads rows, their mapping and the terms of a field in the encoding that is named, else in the one detected', async () => {
    const path = join(temporaryFolder(), 'rows.jsonl');
    // The same bytes are two Chinese words.
    const word = 'ÄãºÃÄãºÃ';
    const row = { question: `What is ${word}?`, answer: `It is ${word}.`, focus: word };
    writeFileSync(path, Buffer.from(`${JSON.stringify(row)}\n`, 'latin1'));
    const read = async (encoding: 'windows-1252' | undefined) => {
      const rows = evaluatedRowsSchema.parse({
        kind: 'file',
        path,
        mapping: null,
        task: 'questionAnswering',
        encoding,
      });
      const request = { rows, candidates: [{ kind: 'base' }], maxRows: null, contextTokens: null, seed: 1 };
      const data = await readEvaluatedData(request as unknown as EvaluationRequest, signal);
      const reference = referenceOf(data.examples[0]!);
      const glossary = await loadGlossary({ glossary: { kind: 'fields', fields: ['focus'] } }, data, signal);
      return { data, reference, terms: glossary!.find(reference).size };
    };
    const named = await read('windows-1252');
    expect(named.reference).toBe(`It is ${word}.`);
    expect(named.data.datasets).toMatchObject([{ path, encoding: 'windows-1252' }]);
    const detected = await read(undefined);
    expect(detected.reference).toBe('It is 你好你好.');
    expect(detected.data.datasets[0]).not.toHaveProperty('encoding');
    expect([named.terms, detected.terms]).toEqual([1, 1]);
  });
});
