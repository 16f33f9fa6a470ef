import { describe, expect, it } from 'vitest';
import type { Example } from '../../../../src/core/data/example.ts';
import type { TokenizerConfig } from '../../../../src/core/formats/tokenizerFiles.ts';
import { createChatTemplate } from '../../../../src/core/text/chatTemplate.ts';
import { encodeExamples } from '../../../../src/core/text/encodeExamples.ts';
import {
  enforceFindings,
  findRefusals,
  findWarnings,
  type PreflightInput,
} from '../../../../src/core/text/preflight.ts';
import { loadTokenizer, tokenizerConfigs } from './smallTokenizers.ts';

const chatml = `{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}`;
const chat = (question: string, answer: string | null): Example => ({
  kind: 'chat',
  messages: [
    { role: 'user', content: question },
    ...(answer === null ? [] : [{ role: 'assistant' as const, content: answer }]),
  ],
  origin: { file: 'rows.jsonl', line: 1 },
});

function check(
  examples: Example[],
  {
    config = {},
    contextTokens = 512,
    trainOn = 'assistant' as const,
  }: { config?: TokenizerConfig; contextTokens?: number; trainOn?: 'assistant' | 'all' } = {},
): PreflightInput {
  const tokenizerConfig = { ...tokenizerConfigs.smollm, chat_template: chatml, ...config };
  const tokenizer = loadTokenizer('smollm', tokenizerConfig);
  const template = createChatTemplate({ config: tokenizerConfig, specialTokens: [...tokenizer.specialTokens.keys()] });
  const { report } = encodeExamples(examples, { tokenizer, template, contextTokens, trainOn });
  return { report, tokenizer, trainOn };
}
const codes = (input: PreflightInput) => findRefusals(input).map(finding => [finding.code, finding.override]);

describe('findRefusals', () => {
  it('finds nothing against good rows', () => {
    const input = check([chat('Hi', 'Hello'), chat('Bye', 'Goodbye')]);
    expect(findRefusals(input)).toEqual([]);
    expect(findWarnings(input)).toEqual([]);
  });

  it('refuses rows in which nothing is supervised', () => {
    expect(codes(check([chat('Hi', null)]))).toEqual([['nothing-supervised', null]]);
    expect(codes(check([chat('word '.repeat(50), 'Yes')], { contextTokens: 20 }))).toEqual([
      ['nothing-supervised', null],
    ]);
  });

  it('refuses conversations in which everything is supervised', () => {
    const everything =
      '{% generation %}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}{% endgeneration %}';
    const input = check([chat('Hi', 'Hello')], { config: { chat_template: everything } });
    expect(codes(input)).toEqual([['everything-supervised', 'mask']]);
    expect(codes({ ...input, trainOn: 'all' })).toEqual([]);
  });

  it('refuses an end token that no row teaches', () => {
    expect(codes(check([chat('Hi', 'Hello')], { config: { eos_token: '<|endoftext|>' } }))).toEqual([
      ['end-token-untrained', 'endToken'],
    ]);
    expect(codes(check([chat('Hi', 'Hello')], { config: { eos_token: undefined } }))).toEqual([
      ['end-token-untrained', 'endToken'],
    ]);
    const cut = check([chat('Hi', 'word '.repeat(50))], { contextTokens: 20 });
    expect(findRefusals(cut)[0]).toMatchObject({
      code: 'end-token-untrained',
      remedy: expect.stringContaining('contextTokens'),
    });
    expect(
      codes(
        check([chat('Hi', 'Hello')], {
          config: { eos_token: '<|endoftext|>', extra_eos_token_ids: [check([]).tokenizer.eosTokenIds[0]!] },
        }),
      ),
    ).toEqual([]);
  });

  it('refuses two BOS tokens', () => {
    const input = check([chat('Hi', 'Hello')], { config: { chat_template: `<|im_start|>${chatml}` } });
    expect(codes(input)).toEqual([['double-bos', 'doubleBos']]);
  });
});

describe('findWarnings', () => {
  it('tells cut, dropped and suspicious rows with what to do', () => {
    const input = check(
      [chat('Hi', 'word '.repeat(50)), chat('word '.repeat(50), 'Yes'), chat('Hi', null), chat('<|im_end|>?', 'Yes')],
      { contextTokens: 20 },
    );
    expect(findWarnings(input).map(finding => finding.code)).toEqual([
      'rows-cut',
      'rows-cut-away',
      'rows-without-answer',
      'control-text',
    ]);
    expect(findWarnings(input).every(finding => finding.override === null && finding.remedy !== '')).toBe(true);
  });
});

describe('enforceFindings', () => {
  const finding = { code: 'double-bos', message: 'Two.', remedy: 'Remove one.', override: 'doubleBos' };
  it('throws the first finding that stands, with its remedy', () => {
    const other = { ...finding, code: 'end-token-untrained', override: 'endToken' };
    expect(() => enforceFindings([finding, other], [])).toThrow(
      expect.objectContaining({
        code: 'preflight',
        message: 'Two. (and 1 more: end-token-untrained)',
        hint: 'Remove one. To start all the same, override "doubleBos" (--override doubleBos).',
      }),
    );
  });
  it('lets overridden findings pass, but not those without an override', () => {
    expect(() => enforceFindings([finding], ['doubleBos'])).not.toThrow();
    expect(() => enforceFindings([{ ...finding, override: null }], ['doubleBos'])).toThrow('Two.');
  });
});
