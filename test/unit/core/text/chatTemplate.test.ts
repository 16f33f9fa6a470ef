import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../../src/core/data/example.ts';
import type { TokenizerConfig } from '../../../../src/core/formats/tokenizerFiles.ts';
import { createChatTemplate } from '../../../../src/core/text/chatTemplate.ts';
import { loadTemplate, templateNames } from './stockTemplates.ts';

const origin = { file: 'rows.jsonl', line: 4 };
const talk: Message[] = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello!' },
  { role: 'user', content: 'Bye' },
  { role: 'assistant', content: 'Go.' },
];
const make = (config: TokenizerConfig, date?: Date) =>
  createChatTemplate({ config, specialTokens: ['<|im_start|>', '<|im_end|>', '</s>'], date });
const said = (template: ReturnType<typeof make>, messages: readonly Message[]) => {
  const { text, assistant } = template.render(messages, origin);
  return assistant.map(span => text.slice(span.start, span.end));
};

describe('createChatTemplate', () => {
  it('writes ChatML when a model without a template ends with the end token of ChatML', () => {
    const template = make({ eos_token: '<|im_end|>' });
    expect(template).toMatchObject({ source: 'chatml', note: expect.stringContaining('ChatML') });
    expect(template.render(talk).text).toBe(
      '<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n' +
        '<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\nGo.<|im_end|>\n',
    );
    expect(said(template, talk)).toEqual(['Hello!<|im_end|>', 'Go.<|im_end|>']);
    expect(template.renderPrompt(talk.slice(0, 2))).toMatch(/Hi<\|im_end\|>\n<\|im_start\|>assistant\n$/);
  });

  it('writes plain questions and answers for any other model without a template', () => {
    const template = make({ eos_token: '</s>', chat_template: ' ' });
    expect(template).toMatchObject({ source: 'plain', note: expect.stringContaining('no chat template') });
    expect(template.render(talk).text).toBe(
      'Be kind.\n\nQuestion: Hi\nAnswer: Hello!</s>\n\nQuestion: Bye\nAnswer: Go.</s>',
    );
    expect(said(template, talk)).toEqual([' Hello!</s>', ' Go.</s>']);
    expect(template.renderPrompt(talk.slice(0, 2))).toBe('Be kind.\n\nQuestion: Hi\nAnswer:');
  });

  it("uses the model's own template and says nothing of it", () => {
    const template = make({ chat_template: '{{ messages[0].content }}' });
    expect(template).toMatchObject({
      source: 'model',
      note: null,
      text: '{{ messages[0].content }}',
      hasGenerationTags: false,
    });
  });

  it('writes the date of Llama 3 unless another is given', () => {
    const chat_template = '{{ strftime_now("%d %b %Y") }}';
    expect(make({ chat_template }).render(talk).text).toBe('26 Jul 2024');
    expect(make({ chat_template }, new Date('2030-01-02T00:00:00Z')).render(talk).text).toBe('02 Jan 2030');
  });

  it('ends the prompt with the header that a template without a generation prompt leaves out', () => {
    const template = loadTemplate('chatml-headless');
    expect(template.renderPrompt(talk.slice(0, 2))).toMatch(/<\|im_start\|>assistant\n$/);
  });

  it('takes an end of turn that is no special token', () => {
    const chat_template =
      '{% for m in messages %}### {{ m.role }}\n{{ m.content }}\n### End\n{% endfor %}{% if add_generation_prompt %}### assistant\n{% endif %}';
    expect(said(make({ chat_template }), talk)).toEqual(['Hello!\n### End', 'Go.\n### End']);
  });

  it('supervises the content alone when nothing ends a turn', () => {
    const chat_template =
      '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}';
    expect(said(make({ chat_template }), talk)).toEqual(['Hello!', 'Go.']);
  });

  it('finds answers that the template rewrites by the prefixes of the conversation', () => {
    const chat_template =
      '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | upper if m.content | length > 2 else m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';
    const shout = chat_template.replace('m.content | length > 2', 'm.content | length < 12');
    expect(said(make({ chat_template: shout }), talk)).toEqual(['HELLO!<|im_end|>', 'GO.<|im_end|>']);
  });

  it('refuses with file and line when it cannot tell what the assistant says', () => {
    const chat_template = '{% for m in messages[::-1] %}{{ m.content | length }} {% endfor %}';
    expect(() => make({ chat_template }).render(talk.slice(1), origin)).toThrow(
      expect.objectContaining({ code: 'template-invalid', ...origin, hint: expect.stringContaining('generation') }),
    );
  });

  it.each([
    ['no message', [], 'at least one message'],
    ['a noncharacter', [{ role: 'user', content: 'a\uFDD2b' }], 'noncharacter'],
  ] as const)('refuses a row with %s', (_, messages, message) => {
    const render = () => make({ eos_token: '</s>' }).render(messages, origin);
    expect(render).toThrow(expect.objectContaining({ code: 'dataset-invalid', ...origin }));
    expect(render).toThrow(message);
  });

  it('says what to do about a refused system message and about roles that do not alternate', () => {
    const hintOf = (messages: readonly Message[]): string => {
      try {
        loadTemplate('gemma-2').render(messages, origin);
      } catch (error) {
        return String((error as { hint?: string }).hint);
      }
      return 'accepted';
    };
    expect(hintOf(talk)).toContain('system message');
    expect(hintOf([talk[1]!, talk[3]!, talk[2]!])).toContain('alternate');
  });

  it.each(templateNames)('finds the same answers by marks as they stand in random conversations with %s', name => {
    const template = loadTemplate(name);
    const words = fc.string({ unit: fc.constantFrom(...'abc <|>{}%\n"\'\\é🎉[/'), minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.tuple(words, words), { minLength: 1, maxLength: 3 }), turns => {
        const messages = turns.flatMap(([user, assistant]): Message[] => [
          { role: 'user', content: user },
          { role: 'assistant', content: assistant },
        ]);
        const { text, assistant } = template.render(messages);
        const spans = assistant.map(span => text.slice(span.start, span.end));
        let behind = 0;
        for (const span of assistant) {
          expect(span.start).toBeGreaterThanOrEqual(behind);
          behind = span.end;
        }
        // Phi-3's training variant marks the end token of the text as a span of its own.
        const answers = spans.filter(span => name !== 'phi-3-tagged' || span !== '</s>');
        expect(answers).toHaveLength(turns.length);
        for (const [i, answer] of answers.entries()) expect(answer).toContain(turns[i]![1].trim());
        const last = messages.slice(0, -1);
        expect(text.startsWith(template.renderPrompt(last)) || name.includes('tagged')).toBe(true);
      }),
      { seed: 13, numRuns: 60 },
    );
  });
});
