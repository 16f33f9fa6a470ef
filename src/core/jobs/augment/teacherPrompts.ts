/** @file What a teacher is asked, and what it said -> texts, or why they cannot be taken. */
import type { ChatMessage } from '../../../shared/inferenceProtocol.ts';

const writer =
  'You write training data for a language model. Reply with what is asked for and nothing else: no introduction, no remarks.';

/** Each variant of a row is asked for in another way, so that a teacher without chance gives different ones too. */
const manners = [
  'in other words, as another person would put it',
  'shorter and more directly',
  'in a formal way',
  'in everyday language',
  'in more detail, with another order of its parts',
];

export function askParaphrase(text: string, variant: number): ChatMessage[] {
  const manner = manners[variant % manners.length]!;
  return ask(
    `Say the following text ${manner}. Keep its meaning, its facts, names and numbers, and its language.`,
    text,
  );
}

export function askTranslation(text: string, language: string): ChatMessage[] {
  return ask(`Translate the following text into ${language}.`, text);
}

/** Back to the language of the original, which stands beside it so that it need not be named. */
export function askBackTranslation(translation: string, original: string): ChatMessage[] {
  const start = original.slice(0, 60).replace(/\s+/g, ' ');
  return ask(
    `Translate the following text into the language of this one: "${start}". Translate what it says, not that one.`,
    translation,
  );
}

/** As LlamaIndex asks for its question sets: so many questions a chunk, answerable from the chunk alone. */
export function askQuestions(chunk: string, name: string, count: number): ChatMessage[] {
  const task = [
    `Write ${count} ${count === 1 ? 'question' : 'different questions'} that the passage below answers, each with a full answer.`,
    'Use what the passage says and nothing else. Ask so that nobody needs to see the passage: name what is meant, do not speak of "the passage" or "the text".',
    'Write in the language of the passage. Reply with a JSON array alone: [{"question": "...", "answer": "..."}]',
    `The passage is from ${name}.`,
  ].join(' ');
  return ask(task, chunk);
}

export function askSynonyms(words: readonly string[]): ChatMessage[] {
  const task =
    'For each of the following words give up to four synonyms that can stand in its place in most sentences, in the same form and language. One line a word, as "word: synonym, synonym". Leave out words without such synonyms.';
  return ask(task, words.join('\n'));
}

function ask(task: string, text: string): ChatMessage[] {
  return [
    { role: 'system', content: writer },
    { role: 'user', content: `${task}\n\n---\n${text}\n---` },
  ];
}

/** Undefined, or why not. */
export type Read<T> = { readonly value: T } | { readonly reason: string };

/** A rewritten text without what teachers put around it. */
export function readRewrite(reply: string, original: string): Read<string> {
  let text = reply.trim();
  const fenced = /^```\w*\n([\s\S]*?)\n?```$/.exec(text);
  if (fenced !== null && !original.includes('```')) text = fenced[1]!.trim();
  text = text.replace(/^---\s*\n?|\n?\s*---$/g, '').trim();
  const quoted = /^["“'«]([\s\S]*)["”'»]$/.exec(text);
  if (quoted !== null && !/^["“'«]/.test(original.trim()) && !/["“”«»]/.test(quoted[1]!)) text = quoted[1]!.trim();
  if (text === '') return { reason: 'nothing but signs around a text' };
  if (text.length > 4 * original.length + 200)
    return { reason: `${text.length} characters for a text of ${original.length}` };
  return { value: text };
}

export interface QuestionAnswer {
  readonly question: string;
  readonly answer: string;
}

/** A JSON array, also in a fence or an object, or lines `Q:` and `A:`. */
export function readQuestions(reply: string): Read<readonly QuestionAnswer[]> {
  const found = readJsonPairs(reply) ?? readLines(reply);
  if (found.length > 0) return { value: found };
  return { reason: 'no questions with answers in what came' };
}

function readJsonPairs(reply: string): QuestionAnswer[] | undefined {
  const [open, close] = [reply.indexOf('['), reply.lastIndexOf(']')];
  for (const text of [reply.trim(), reply.slice(Math.max(0, open), close + 1)]) {
    const value = parseJson(text);
    const list = Array.isArray(value) ? value : isObject(value) ? Object.values(value).find(Array.isArray) : undefined;
    if (list === undefined) continue;
    const pairs = (list as unknown[]).flatMap(item => {
      if (!isObject(item)) return [];
      const [question, answer] = [readField(item, ['question', 'q', 'query']), readField(item, ['answer', 'a'])];
      return question === undefined || answer === undefined ? [] : [{ question, answer }];
    });
    if (pairs.length > 0) return pairs;
  }
  return undefined;
}

function readLines(reply: string): QuestionAnswer[] {
  const pattern =
    /(?:^|\n)\s*(?:\d+[.)]\s*)?\**(?:Q|Question)\s*\d*\**\s*[:.]\**\s*([\s\S]*?)\n\s*\**(?:A|Answer)\s*\d*\**\s*[:.]\**\s*([\s\S]*?)(?=\n\s*(?:\d+[.)]\s*)?\**(?:Q|Question)\s*\d*\**\s*[:.]|$)/gi;
  return Array.from(reply.matchAll(pattern), ([, question, answer]) => ({
    question: question!.trim(),
    answer: answer!.trim(),
  })).filter(({ question, answer }) => question !== '' && answer !== '');
}

function readField(item: Record<string, unknown>, names: readonly string[]): string | undefined {
  const key = Object.keys(item).find(name => names.includes(name.toLowerCase()));
  const value = key === undefined ? undefined : item[key];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
