/** The shipped tiny model in transformers: a user can take it, and adapters trained on it, to Python. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DecodingSession } from '../../src/core/infer/decodingSession.ts';
import { generateText } from '../../src/core/infer/generateText.ts';
import { loadResidentModel } from '../../src/core/infer/residentModel.ts';
import { openModel } from '../../src/core/models/openModel.ts';

const python = process.env.TUNING_FORK_PYTHON;
const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '../../media/tiny');
const maxTokens = 32;
const prompts = [
  'Hello!',
  'What colour is a frog?',
  'What is three plus four?',
  'The Quiet Swan has two masts. How many masts does the Quiet Swan have?',
  'Tell me a story about a cat.',
  'What is the opposite of old?',
];

describe.skipIf(!python)('media/tiny', () => {
  it('is loaded by transformers and answers there with the same tokens as here', async () => {
    const run = spawnSync(python!, [join(here, 'tinyModel.py'), folder, String(maxTokens)], {
      input: JSON.stringify(prompts),
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(`tinyModel.py: exit ${run.status}\n${run.stderr.slice(-2000)}`);
    const theirs = JSON.parse(run.stdout) as { answers: number[][]; spoken: string; parameters: number };
    expect(theirs.spoken).toBe('Hello to you.<|im_end|>');
    expect(theirs.parameters).toBeGreaterThan(1e6);

    const opened = await openModel('tiny', { tinyFolder: folder });
    const session = await DecodingSession.create(await loadResidentModel(opened));
    const settings = { maxTokens, temperature: 0, topP: 1, seed: 1 };
    try {
      const ours: (readonly number[])[] = [];
      for (const content of prompts) {
        const messages = [{ role: 'user' as const, content }];
        ours.push((await generateText(session, { messages, adapter: session.baseInputs, settings })).tokenIds);
      }
      expect(ours).toEqual(theirs.answers);
    } finally {
      await session.release();
      opened.close();
    }
  });
});
