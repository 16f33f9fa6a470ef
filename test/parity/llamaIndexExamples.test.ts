/** The committed examples with LlamaIndex, run as their readme lines say, against a served model of this machine. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makePlace } from '../support/programs.ts';
import { serveModels } from '../support/servedModels.ts';

const python = process.env.TUNING_FORK_PYTHON;
const examples = fileURLToPath(new URL('../../examples/llamaindex', import.meta.url));

describe.skipIf(!python)('the examples with LlamaIndex', () => {
  it('answer from the right document, and make a dataset that names its sources', async () => {
    const place = makePlace();
    const { baseUrl, key } = await serveModels(['--model', 'tiny'], place);
    const env = { ...process.env, NO_PROXY: '*', TUNING_FORK_URL: baseUrl, TUNING_FORK_KEY: key };
    const run = async (...args: string[]): Promise<unknown> =>
      JSON.parse((await promisify(execFile)(python!, args, { env, cwd: place.folder })).stdout);
    const documents = join(examples, 'documents');
    const shared = ['--model', 'tiny', '--context', '1024'];
    const question = 'How often does a cactus want water in winter? Cacti store it.';
    const answered = await run(join(examples, 'answer.py'), ...shared, '--passages', '1', documents, question);
    expect(answered).toMatchObject({ sources: ['watering.md'] });
    expect((answered as { answer: string }).answer).not.toBe('');
    const out = join(place.folder, 'plants.jsonl');
    const made = (await run(join(examples, 'make_dataset.py'), ...shared, documents, out)) as { rows: number };
    const rows = readFileSync(out, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>);
    expect(made.rows).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row).toMatchObject({ synthetic: true, source: expect.stringMatching(/^(watering|light)\.md$/) });
      expect(`${row.question}${row.answer}`).not.toBe('');
    }
  });
});
