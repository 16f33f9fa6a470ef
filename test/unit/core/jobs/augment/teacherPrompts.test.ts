import { describe, expect, it } from 'vitest';
import { readQuestions, readRewrite } from '../../../../../src/core/jobs/augment/teacherPrompts.ts';

const pair = { question: 'How deep?', answer: 'Nine metres.' };

describe('readQuestions', () => {
  it.each([
    ['an array', JSON.stringify([pair])],
    ['a fence with words around it', `Here you are:\n\`\`\`json\n${JSON.stringify([pair])}\n\`\`\`\nDone.`],
    ['an object', JSON.stringify({ pairs: [{ Question: pair.question, Answer: pair.answer }] })],
    ['lines', `1. **Question:** ${pair.question}\n**Answer:** ${pair.answer}\n\nQ2: b?\nA2: c`],
  ])('reads %s', (_, reply) => {
    const read = readQuestions(reply);
    expect('value' in read && read.value[0]).toEqual(pair);
  });

  it('says why it cannot read what is broken, empty or of another shape', () => {
    for (const reply of [
      '[{"question": "a", "ans',
      '[]',
      '{"a": 1}',
      'I cannot do that.',
      '[{"question": "", "answer": "x"}]',
    ])
      expect(readQuestions(reply)).toHaveProperty('reason');
  });
});

describe('readRewrite', () => {
  it('takes away what stands around a text, and leaves what belongs to it', () => {
    expect(readRewrite('"How deep is it?"\n', 'How deep?')).toEqual({ value: 'How deep is it?' });
    expect(readRewrite('```\nHow deep?\n```', 'x')).toEqual({ value: 'How deep?' });
    expect(readRewrite('"Yes," he said, "no"', 'x')).toEqual({ value: '"Yes," he said, "no"' });
    expect(readRewrite('---\nHow?\n---', 'x')).toEqual({ value: 'How?' });
  });

  it('refuses nothing, and far more than was asked for', () => {
    expect(readRewrite(' "" ', 'x')).toHaveProperty('reason');
    expect(readRewrite('word '.repeat(100), 'short')).toHaveProperty('reason');
  });
});
