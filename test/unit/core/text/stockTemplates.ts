/** The stock templates of test/fixtures/templates with the goldens that Jinja2 made of them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Message, Role } from '../../../../src/core/data/example.ts';
import type { TokenizerConfig } from '../../../../src/core/formats/tokenizerFiles.ts';
import { type ChatTemplate, createChatTemplate } from '../../../../src/core/text/chatTemplate.ts';

const folder = new URL('../../../fixtures/templates/', import.meta.url);

export interface Golden {
  readonly refused?: string;
  readonly text?: string;
  readonly prompt?: string | null;
  readonly spans?: [number, number][] | null;
}
export type Goldens = Record<string, Record<string, Golden>>;

const goldenTokens = { bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', unk_token: '<unk>' };

const specialTokens = [
  '<s>',
  '</s>',
  '<|im_start|>',
  '<|im_end|>',
  '<|begin_of_text|>',
  '<|start_header_id|>',
  '<|end_header_id|>',
  '<|eot_id|>',
  '<start_of_turn>',
  '<end_of_turn>',
  '<|end|>',
  '<|user|>',
  '<|assistant|>',
  '<|system|>',
];

export const templateNames = readdirSync(folder)
  .filter(name => name.endsWith('.jinja'))
  .map(name => name.slice(0, -'.jinja'.length));

export function readGoldens(): Goldens {
  return JSON.parse(readFileSync(new URL('goldens.json', folder), 'utf8')) as Goldens;
}

export function readConversations(): Record<string, Message[]> {
  const turns = JSON.parse(readFileSync(new URL('conversations.json', folder), 'utf8')) as Record<
    string,
    [Role, string][]
  >;
  return Object.fromEntries(
    Object.entries(turns).map(([name, list]) => [name, list.map(([role, content]) => ({ role, content }))]),
  );
}

/** With the special tokens of the goldens unless others are given. */
export function loadTemplate(name: string, tokens: TokenizerConfig = goldenTokens): ChatTemplate {
  const config = {
    ...tokens,
    chat_template: readFileSync(new URL(`${name}.jinja`, folder), 'utf8'),
  };
  return createChatTemplate({ config, specialTokens });
}
