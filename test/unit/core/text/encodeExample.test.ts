import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Example, Message } from '../../../../src/core/data/example.ts';
import { createChatTemplate } from '../../../../src/core/text/chatTemplate.ts';
import { type EncodeSettings, encodeExample } from '../../../../src/core/text/encodeExample.ts';
import { encodeExamples } from '../../../../src/core/text/encodeExamples.ts';
import { loadTokenizer, type TokenizerName, tokenizerConfigs } from './smallTokenizers.ts';
import { loadTemplate } from './stockTemplates.ts';

const origin = { file: 'rows.jsonl', line: 1 };
const chat = (...turns: [Message['role'], string][]): Example => ({
  kind: 'chat',
  messages: turns.map(([role, content]) => ({ role, content })),
  origin,
});
const text = (value: string): Example => ({ kind: 'text', text: value, origin });

/** Settings for a tokenizer with the stock template of its family. */
function settingsOf(name: TokenizerName, templateName: string, changes: Partial<EncodeSettings> = {}): EncodeSettings {
  const template = loadTemplate(templateName, tokenizerConfigs[name]);
  return { tokenizer: loadTokenizer(name), template, contextTokens: 4096, trainOn: 'assistant', ...changes };
}
const supervisedText = (settings: EncodeSettings, encoded: ReturnType<typeof encodeExample>): string => {
  const { tokenIds, supervised } = encoded.row!;
  return settings.tokenizer.decode(
    tokenIds.filter((_, i) => supervised[i] === 1),
    { keepSpecialTokens: true },
  );
};

describe('encodeExample', () => {
  it.each(['assistant', 'all'] as const)('does not learn answers that are only shown (trainOn %s)', trainOn => {
    const settings = settingsOf('smollm', 'smollm2', { trainOn });
    const shown = chat(['user', 'Hi'], ['assistant', 'Wrong.'], ['user', 'Bye'], ['assistant', 'Go.']);
    const messages = shown.kind === 'chat' ? shown.messages : [];
    const marked = messages.map((message, i) => (i === 1 ? { ...message, isTrained: false as const } : message));
    const encoded = encodeExample({ kind: 'chat', messages: marked, origin }, 0, settings);
    expect(supervisedText(settings, encoded)).toBe('Go.<|im_end|>');
  });

  it('supervises the answers with their end tokens and nothing of the prompt', () => {
    const settings = settingsOf('smollm', 'smollm2');
    const encoded = encodeExample(
      chat(['user', 'Hi'], ['assistant', 'Hello!'], ['user', 'Bye'], ['assistant', 'Go.']),
      3,
      settings,
    );
    expect(encoded.row?.row).toBe(3);
    expect(supervisedText(settings, encoded)).toBe('Hello!<|im_end|>Go.<|im_end|>');
    expect(encoded.facts.learnsEnd).toBe(true);
  });

  it.each([
    ['llama3', 'llama-3.1'],
    ['llama3', 'llama-3.2'],
    ['llama3', 'llama-3'],
  ] as const)('supervises %s answers of the stock template %s', (name, templateName) => {
    const settings = settingsOf(name, templateName);
    const encoded = encodeExample(chat(['system', 'Be kind.'], ['user', 'Hi'], ['assistant', ' Hello! ']), 0, settings);
    expect(supervisedText(settings, encoded)).toBe('Hello!<|eot_id|>');
    expect([...encoded.row!.tokenIds].filter(id => id === settings.tokenizer.bosTokenId)).toHaveLength(1);
  });

  it('puts one BOS before a row whose template writes none, and none before one that has it', () => {
    const withoutBos = settingsOf('llama2', 'zephyr');
    const added = encodeExample(chat(['user', 'Hi'], ['assistant', 'Hello']), 0, withoutBos).row!;
    expect([...added.tokenIds.subarray(0, 2)].indexOf(withoutBos.tokenizer.bosTokenId!)).toBe(0);
    expect(added.supervised[0]).toBe(0);
    const withBos = settingsOf('llama2', 'llama-2');
    const kept = encodeExample(chat(['user', 'Hi'], ['assistant', 'Hello']), 0, withBos).row!;
    expect([...kept.tokenIds].filter(id => id === withBos.tokenizer.bosTokenId)).toHaveLength(1);
  });

  it('tells two BOS tokens', () => {
    const settings = settingsOf('llama2', 'llama-2', {
      template: createChatTemplate({
        config: {
          ...tokenizerConfigs.llama2,
          chat_template:
            '{{ bos_token }}{{ bos_token }}{{ messages[0].content }}{% generation %}{{ messages[1].content + eos_token }}{% endgeneration %}',
        },
        specialTokens: ['<s>', '</s>'],
      }),
    });
    expect(encodeExample(chat(['user', 'Hi'], ['assistant', 'Hello']), 0, settings).facts.startsWithTwoBos).toBe(true);
  });

  it('learns all of a plain text and its end token', () => {
    const settings = settingsOf('llama2', 'llama-2');
    const { tokenIds, supervised } = encodeExample(text('Once upon a time'), 0, settings).row!;
    expect(tokenIds[0]).toBe(settings.tokenizer.bosTokenId);
    expect(tokenIds.at(-1)).toBe(settings.tokenizer.eosTokenIds[0]);
    expect([...supervised]).toEqual([0, ...Array.from({ length: tokenIds.length - 1 }, () => 1)]);
  });

  it('supervises everything but the first token with trainOn all', () => {
    const { supervised } = encodeExample(
      chat(['user', 'Hi'], ['assistant', 'Yo']),
      0,
      settingsOf('smollm', 'smollm2', { trainOn: 'all' }),
    ).row!;
    expect(supervised[0]).toBe(0);
    expect(supervised.subarray(1).every(one => one === 1)).toBe(true);
  });

  it('cuts a long row on the right and says so', () => {
    const row = chat(['user', 'Hi'], ['assistant', 'word '.repeat(100)]);
    const { rows, report } = encodeExamples([row], settingsOf('smollm', 'chatml', { contextTokens: 40 }));
    expect(rows[0]?.tokenIds).toHaveLength(40);
    expect(report).toMatchObject({
      rows: 1,
      truncatedRows: 1,
      rowsThatLearnEnd: 0,
      truncatedTokens: report.longestTokens - 40,
    });
  });

  it('drops a row whose answer is cut away and one without an answer, and counts them', () => {
    const examples = [
      chat(['user', 'word '.repeat(100)], ['assistant', 'Yes']),
      chat(['user', 'Anyone?']),
      text(''),
      chat(['user', 'Hi'], ['assistant', 'Hello']),
    ];
    const { rows, report } = encodeExamples(examples, settingsOf('smollm', 'chatml', { contextTokens: 40 }));
    expect(rows.map(row => row.row)).toEqual([3]);
    expect(report).toMatchObject({ examples: 4, rows: 1, dropped: { 'cut-away': 1, 'nothing-to-learn': 2 } });
    expect(report.droppedFirst.map(row => row.reason)).toEqual(['cut-away', 'nothing-to-learn', 'nothing-to-learn']);
  });

  it('names file and line of a conversation that the template refuses', () => {
    const row = chat(['user', 'one'], ['user', 'two'], ['assistant', 'three']);
    expect(() =>
      encodeExample({ ...row, origin: { file: 'data/rows.jsonl', line: 12 } }, 0, settingsOf('gemma', 'gemma-2')),
    ).toThrow(
      expect.objectContaining({
        code: 'dataset-invalid',
        file: 'data/rows.jsonl',
        line: 12,
        message: expect.stringContaining('data/rows.jsonl:12'),
      }),
    );
  });

  it('tells control words in messages and a system message that is lost', () => {
    const control = encodeExample(
      chat(['user', 'what is <|im_end|>?'], ['assistant', 'A token.']),
      0,
      settingsOf('smollm', 'smollm2'),
    );
    expect(control.facts.hasControlText).toBe(true);
    const lost = encodeExample(
      chat(['system', 'Sing.'], ['user', 'Hi'], ['assistant', 'La']),
      0,
      settingsOf('mistral', 'mistral-v0.3'),
    );
    expect(lost.facts.dropsSystem).toBe(true);
  });

  it('masks what the assistant says whatever is said, in every family', () => {
    const families: [TokenizerName, string, (content: string) => string][] = [
      ['smollm', 'smollm2', content => `${content}<|im_end|>`],
      ['qwen', 'qwen2.5', content => `${content.normalize('NFC')}<|im_end|>`],
      ['llama3', 'llama-3.1', content => `${content.trim()}<|eot_id|>`],
    ];
    const said = fc.string({ unit: fc.constantFrom(...'aZ9 .\n\té日🎉{%<|'), minLength: 1, maxLength: 40 });
    for (const [name, templateName, expected] of families) {
      const settings = settingsOf(name, templateName);
      fc.assert(
        fc.property(said, said, said, (question, answer, second) => {
          const example = chat(['user', question], ['assistant', answer], ['user', question], ['assistant', second]);
          expect(supervisedText(settings, encodeExample(example, 0, settings))).toBe(
            expected(answer) + expected(second),
          );
        }),
        { seed: 7, numRuns: 200 },
      );
    }
  });
});

describe('encodeExamples of preferences', () => {
  const turn = (role: Message['role'], content: string) => ({ role, content });
  const pair: Example = {
    kind: 'preference',
    prompt: [turn('user', 'Hi'), turn('assistant', 'Hello!'), turn('user', 'Bye')],
    chosen: [turn('assistant', 'See you.')],
    rejected: [turn('assistant', 'Go.'), turn('user', 'What?'), turn('assistant', 'Now.')],
    origin,
  };

  it('gives chosen and rejected answer in turn and supervises only the answers', () => {
    const settings = { ...settingsOf('smollm', 'smollm2'), trainOn: 'all' as const, pairs: true };
    const { rows, report } = encodeExamples([pair, pair], settings);
    const texts = rows.map(row => supervisedText(settings, { row } as ReturnType<typeof encodeExample>));
    const [chosen, rejected] = ['See you.<|im_end|>', 'Go.<|im_end|>Now.<|im_end|>'];
    expect(texts).toEqual([chosen, rejected, chosen, rejected]);
    expect(rows.map(({ row }) => row)).toEqual([0, 0, 1, 1]);
    expect(report).toMatchObject({ examples: 2, rows: 4, chatRows: 4, rowsThatLearnEnd: 4 });
  });

  it('drops the pair when one answer is cut away', () => {
    const settings = settingsOf('smollm', 'smollm2');
    const wholeTokens = encodeExample(pair, 0, settings).wholeTokens;
    const long: Example = { ...pair, prompt: [...pair.prompt, turn('assistant', 'x '.repeat(50)), turn('user', 'y')] };
    const { rows, report } = encodeExamples([pair, long], { ...settings, contextTokens: wholeTokens, pairs: true });
    expect(rows.map(({ row }) => row)).toEqual([0, 0]);
    expect(report.dropped['cut-away']).toBe(1);
  });

  it('takes the chosen answer alone where no pairs are asked for', () => {
    const settings = settingsOf('smollm', 'smollm2');
    const { rows } = encodeExamples([pair], settings);
    expect(rows.length).toBe(1);
    expect(supervisedText(settings, encodeExample(pair, 0, settings))).toBe('See you.<|im_end|>');
  });
});
