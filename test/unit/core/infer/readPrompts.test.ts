import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPrompts } from '../../../../src/core/infer/readPrompts.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

function write(name: string, text: string | Uint8Array): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, text);
  return file;
}

describe('readPrompts', () => {
  it('reads questions with answers in the encoding that is named', async () => {
    const file = write('prompts.jsonl', Buffer.from('{"question":"Stra\u00dfe?","answer":"Ja."}\n', 'utf16le'));
    const [asked] = await readPrompts(file, 'utf-16le');
    expect(asked!.messages.at(-1)!.content).toBe('Stra\u00dfe?');
  });

  it('reads questions with their references from a dataset', async () => {
    const file = write('rows.csv', 'question,answer\nsay b,bbbb\nsay c,cccc\n');
    expect(await readPrompts(file)).toEqual([
      { origin: { file, line: 2 }, messages: [{ role: 'user', content: 'say b' }], reference: 'bbbb' },
      { origin: { file, line: 3 }, messages: [{ role: 'user', content: 'say c' }], reference: 'cccc' },
    ]);
  });

  it('reads prompts without references, each in its own form', async () => {
    const file = write(
      'prompts.jsonl',
      '{"prompt": "say b"}\n\n"say c"\n{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "say d"}]}\n',
    );
    const questions = await readPrompts(file);
    expect(questions.map(({ origin, messages }) => [origin.line, ...messages.map(({ content }) => content)])).toEqual([
      [1, 'say b'],
      [3, 'say c'],
      [4, 'Be brief.', 'say d'],
    ]);
    expect(questions.every(question => !('reference' in question))).toBe(true);
  });

  it.each([
    ['{"prompt": "say b"}\n{"prompt": ""}\n', 2, /expected a prompt, got the fields prompt/],
    ['{"prompt": "say b"}\n{"prompt": \n', 2, /:2:/],
    ['7\n', 1, /got a line without a question/],
    ['{"messages": [{"role": "assistant", "content": "hello"}]}\n', 1, /got messages that do not end with a question/],
  ])('names the line of what is no prompt: %j', async (text, line, message) => {
    const file = write('prompts.jsonl', text);
    const error: unknown = await readPrompts(file).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'dataset-invalid', file, line });
    expect((error as Error).message).toMatch(message);
  });

  it('refuses an empty file', async () => {
    await expect(readPrompts(write('prompts.jsonl', '\n'))).rejects.toMatchObject({ code: 'dataset-empty' });
  });
});
