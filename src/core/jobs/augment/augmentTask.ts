/** @file A row or a chunk and a method -> what is to be asked one after the other, and the new rows that come of the answers. */
import { createHash } from 'node:crypto';
import type { AugmentationMethod } from '../../../shared/augmentation.ts';
import type { ChatMessage } from '../../../shared/inferenceProtocol.ts';
import { answerOf, questionOf } from '../../data/check/exampleTexts.ts';
import type { Chunk } from '../../data/documents/chunkDocument.ts';
import type { Example, Message } from '../../data/example.ts';
import { hashQuestion } from '../../data/synthetic.ts';
import { replaceSynonyms } from './replaceSynonyms.ts';
import {
  askBackTranslation,
  askParaphrase,
  askQuestions,
  askTranslation,
  type Read,
  readQuestions,
  readRewrite,
} from './teacherPrompts.ts';
import type { Thesaurus } from './thesaurus.ts';

/** Most questions that one task asks, which number them. */
export const maxSteps = 2;

export interface NewRow {
  readonly example: Example;
  /** What was written anew: near duplicates are told by it. */
  readonly text: string;
  /** The text that it was made of; '' for a chunk. */
  readonly before: string;
}

export interface AugmentTask {
  /** Its place in the plan, whatever the order in which it is done. */
  readonly index: number;
  readonly method: AugmentationMethod['method'];
  readonly file: string;
  readonly line: number | null;
  /** What of a row is written anew. */
  readonly part: 'question' | 'answer';
  /** New rows that may come of it. */
  readonly expectedRows: number;
  /** The next question after these answers; undefined when all are there. */
  next(answers: readonly string[]): ChatMessage[] | undefined;
  finish(answers: readonly string[]): Read<readonly NewRow[]>;
}

type RowMethod = Exclude<AugmentationMethod, { method: 'questions' }>;

export interface TaskContext {
  readonly thesaurus: Thesaurus;
  readonly seed: number;
  /** Named in the rows. */
  readonly teacher: string | null;
  /** As the new file names a source. */
  readonly nameFile: (file: string) => string;
}

/** Undefined for rows that have no such text. */
export function makeRowTask(
  example: Example,
  method: RowMethod,
  variant: number,
  index: number,
  { thesaurus, seed, teacher, nameFile }: TaskContext,
): AugmentTask | undefined {
  const before = textOf(example, method.part);
  if (before.trim() === '') return undefined;
  const { file, line } = example.origin;
  const next = (answers: readonly string[]): ChatMessage[] | undefined => {
    if (method.method === 'paraphrase') return answers.length === 0 ? askParaphrase(before, variant) : undefined;
    if (method.method === 'synonyms') return undefined;
    if (answers.length === 0) return askTranslation(before, method.language);
    return answers.length === 1 ? askBackTranslation(answers[0]!, before) : undefined;
  };
  const rewrite = (answers: readonly string[]): Read<string> =>
    method.method === 'synonyms'
      ? { value: replaceSynonyms(before, thesaurus, method.share, [seed, seedOf(before), variant]) }
      : readRewrite(answers.at(-1)!, before);
  const source = {
    file: nameFile(file),
    line,
    method: method.method,
    teacher,
    question: hashQuestion(example),
    ...(method.method === 'backTranslation' ? { language: method.language } : {}),
  };
  return {
    index,
    method: method.method,
    part: method.part,
    file,
    line,
    expectedRows: 1,
    next,
    finish: answers => {
      const text = rewrite(answers);
      if ('reason' in text) return text;
      const changed = changePart(example, method.part, text.value);
      return { value: [{ example: { ...changed, synthetic: { source } }, text: text.value, before }] };
    },
  };
}

export function makeChunkTask(
  chunk: Chunk,
  perChunk: number,
  index: number,
  { teacher, nameFile }: TaskContext,
): AugmentTask {
  const { file, lines, page } = chunk;
  const place = lines === null ? { page } : { line: lines[0], lastLine: lines[1] };
  const source = { file: nameFile(file), ...place, method: 'questions', teacher };
  return {
    index,
    method: 'questions',
    part: 'question',
    file,
    line: lines?.[0] ?? null,
    expectedRows: perChunk,
    next: answers => (answers.length === 0 ? askQuestions(chunk.text, nameFile(file), perChunk) : undefined),
    finish: answers => {
      const pairs = readQuestions(answers[0]!);
      if ('reason' in pairs) return pairs;
      const origin = { file, line: lines?.[0] ?? page ?? 1 };
      return {
        value: pairs.value.map(({ question, answer }) => ({
          example: { kind: 'chat', messages: exchange(question, answer), origin, synthetic: { source } },
          text: question,
          before: '',
        })),
      };
    },
  };
}

function exchange(question: string, answer: string): Message[] {
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ];
}

/** A number for a text, so that what is drawn for a row depends on the row alone. */
function seedOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE(0);
}

export function textOf(example: Example, part: 'question' | 'answer'): string {
  return part === 'answer' || example.kind === 'text' ? answerOf(example) : questionOf(example);
}

/** The last question or the last answer in place of what stood there. */
function changePart(example: Example, part: 'question' | 'answer', text: string): Example {
  const change = (messages: readonly Message[], role: Message['role']): Message[] => {
    const at = messages.findLastIndex(message => message.role === role);
    return messages.map((message, i) => (i === at ? { ...message, content: text } : message));
  };
  switch (example.kind) {
    case 'text':
      return { ...example, text };
    case 'chat':
      return { ...example, messages: change(example.messages, part === 'question' ? 'user' : 'assistant') };
    case 'preference':
      return part === 'question'
        ? { ...example, prompt: change(example.prompt, 'user') }
        : { ...example, chosen: change(example.chosen, 'assistant') };
  }
}
