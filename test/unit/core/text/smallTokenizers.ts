/** The small tokenizers of test/fixtures/tokenizers, one of each kind, with the goldens of Hugging Face's tokenizers. */
import { readFileSync } from 'node:fs';
import type { TokenizerConfig } from '../../../../src/core/formats/tokenizerFiles.ts';
import { createTokenizer, type TextTokenizer } from '../../../../src/core/text/tokenizer.ts';

const folder = new URL('../../../fixtures/tokenizers/', import.meta.url);
const readJson = (name: string): unknown => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));

export interface MaskedGolden {
  readonly ids: number[];
  readonly mask: number[];
  readonly straddles?: boolean;
  readonly decoded?: string;
}
export interface TokenizerGolden {
  readonly template: string;
  readonly cases: Record<string, MaskedGolden>;
  readonly plain: Record<string, { ids: number[]; decoded: string }>;
  readonly tagged?: { template: string; bos: string | null; eos: string; cases: Record<string, MaskedGolden> };
}

export const tokenizerNames = ['llama3', 'qwen', 'smollm', 'llama2', 'mistral', 'gemma', 'phi3'] as const;
export type TokenizerName = (typeof tokenizerNames)[number];

export const readTokenizerGoldens = () => readJson('goldens') as Record<TokenizerName, TokenizerGolden>;

export const tokenizerConfigs: Record<TokenizerName, TokenizerConfig> = {
  llama3: { bos_token: '<|begin_of_text|>', eos_token: '<|eot_id|>', pad_token: '<|end_of_text|>' },
  qwen: { eos_token: '<|im_end|>', pad_token: '<|endoftext|>' },
  smollm: { bos_token: '<|im_start|>', eos_token: '<|im_end|>', pad_token: '<|im_end|>', add_bos_token: false },
  llama2: { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', add_bos_token: true },
  mistral: { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', add_bos_token: true },
  gemma: { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', add_bos_token: true },
  phi3: { bos_token: '<s>', eos_token: '<|endoftext|>', unk_token: '<unk>', add_bos_token: false },
};

export function loadTokenizer(name: TokenizerName, config: TokenizerConfig = tokenizerConfigs[name]): TextTokenizer {
  return createTokenizer({ tokenizerJson: readJson(name), tokenizerConfig: config });
}
