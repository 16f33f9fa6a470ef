import { describe, expect, it } from 'vitest';
import { fillInputs, readPromptFile } from '../../../../src/host/prompts/promptFile.ts';

const input = (name: string) => `\${input:${name}}`;

describe('readPromptFile', () => {
  it('takes a file without front matter as the prompt', () => {
    expect(readPromptFile('\n\nWhat is a fork?\n')).toEqual({
      model: undefined,
      prompt: 'What is a fork?',
      line: 2,
      inputs: [],
    });
  });

  it.each([
    ['model: "support bot"', 'support bot'],
    ["model: 'a' ", 'a'],
    ['model: support bot (Tuning Fork)', 'support bot'],
    ["model: ['first', 'second']", 'first'],
    ['description: no model', undefined],
    ['model:', undefined],
  ])('reads %s of the front matter', (line, model) => {
    const file = readPromptFile(`---\r\nagent: ask\r\n${line}\r\n---\r\n\r\nSay it.\r\nTwice.`);
    expect(file).toMatchObject({ model, prompt: 'Say it.\nTwice.', line: 5 });
  });

  it('takes dashes that nothing ends as the prompt', () => {
    expect(readPromptFile('---\nnot: ended').prompt).toBe('---\nnot: ended');
  });

  it('lists each input once, and fills them in', () => {
    const { prompt, inputs } = readPromptFile(`Ask ${input('who')} about ${input('what:a subject')}, ${input('who')}!`);
    expect(inputs).toEqual([
      { name: 'who', placeholder: '' },
      { name: 'what', placeholder: 'a subject' },
    ]);
    const filled = fillInputs(
      prompt,
      new Map([
        ['who', 'Ann'],
        ['what', '$& tea'],
      ]),
    );
    expect(filled).toBe('Ask Ann about $& tea, Ann!');
  });
});
