/**
 * @file Questions -> what base, base with its best prompt and tuned model answer with the same decoding, and how the
 * answers measure against the references. Greedy answers decode in groups, which changes none of them.
 */
import { TuneError } from '../../shared/errors.ts';
import type { DecodingSettings } from '../../shared/inferenceProtocol.ts';
import { promptedMessages } from '../../shared/promptedMessages.ts';
import { tokenF1 } from '../../shared/tokenF1.ts';
import type { Message } from '../data/example.ts';
import type { AskedQuestion } from './answeredQuestion.ts';
import { answerTogether, maxGroupRows } from './answerTogether.ts';
import type { Prompt } from './bestPrompt.ts';
import { type CachedPrefix, cachePrefix } from './cachedPrefix.ts';
import { compareScores, type ScoreComparison } from './compareScores.ts';
import { encodePrompt } from './encodePrompt.ts';
import { exactMatch } from './exactMatch.ts';
import { type Generation, generateText } from './generateText.ts';
import { mean } from './mean.ts';
import type { AttachedModel } from './modelPool.ts';

export type AnswerKind = 'base' | 'prompted' | 'adapter';

export interface Comparison {
  readonly questions: readonly AskedQuestion[];
  readonly base: AttachedModel;
  readonly tuned: AttachedModel;
  /** Null: the base is not asked a second time. */
  readonly prompt: Prompt | null;
  readonly settings: DecodingSettings;
  readonly signal?: AbortSignal | undefined;
}

export interface ComparedAnswer {
  readonly kind: AnswerKind;
  readonly question: AskedQuestion;
  readonly generation: Generation;
}

type Scores = Partial<Record<AnswerKind, number>>;

export interface ComparisonResult {
  readonly questions: number;
  /** Questions that have a reference; the figures below are over them and absent without any. */
  readonly scored: number;
  readonly tokenF1?: Scores;
  readonly exactMatch?: Scores;
  /** By how much token F1 of the tuned model's answers exceeds that of the others. */
  readonly adapterMinusBase?: ScoreComparison;
  readonly adapterMinusPrompted?: ScoreComparison;
}

interface Answering {
  readonly kind: AnswerKind;
  readonly model: AttachedModel;
  readonly chats: readonly (readonly Message[])[];
  /** The chats' tokens. */
  readonly prompts: readonly (readonly number[])[];
  readonly prefix: CachedPrefix | undefined;
}

/** @throws AbortError when cancelled, and as `generateText` */
export async function* compareAnswers(comparison: Comparison): AsyncGenerator<ComparedAnswer, ComparisonResult> {
  const { questions, base, tuned, prompt, settings } = comparison;
  const ways = [await prepare('base', base, null, comparison)];
  if (prompt !== null) ways.push(await prepare('prompted', base, prompt, comparison));
  ways.push(await prepare('adapter', tuned, null, comparison));
  const texts = new Map<AnswerKind, string[]>(ways.map(({ kind }) => [kind, []]));
  const groupRows = settings.temperature === 0 ? maxGroupRows : 1;
  for (let from = 0; from < questions.length; from += groupRows) {
    const group = questions.slice(from, from + groupRows);
    const answers = new Map<AnswerKind, readonly Generation[]>();
    for (const way of ways) answers.set(way.kind, await answerGroup(way, from, group.length, comparison));
    for (const [index, question] of group.entries()) {
      for (const { kind } of ways) {
        const generation = answers.get(kind)![index]!;
        texts.get(kind)!.push(generation.text);
        yield { kind, question, generation };
      }
    }
  }
  return summarize(questions, texts, settings.seed);
}

/** What one way answers to `count` questions from number `from` on; more than one only where decoding is greedy. */
async function answerGroup(
  { model, chats, prompts, prefix }: Answering,
  from: number,
  count: number,
  { settings, signal }: Comparison,
): Promise<readonly Generation[]> {
  const { session, adapter } = model;
  if (count > 1) {
    const { maxTokens } = settings;
    return answerTogether(session, { prompts: prompts.slice(from, from + count), adapter, prefix, maxTokens, signal });
  }
  const generation = await generateText(session, { messages: chats[from]!, adapter, prefix, settings, signal });
  signal?.throwIfAborted();
  return [generation];
}

async function prepare(
  kind: AnswerKind,
  model: AttachedModel,
  prompt: Prompt | null,
  { questions, signal }: Comparison,
): Promise<Answering> {
  const { session, adapter } = model;
  const { resident } = session;
  const chats = questions.map(({ messages }) => (prompt === null ? messages : promptedMessages(messages, prompt)));
  const prompts = chats.map((messages, i) => encodePrompt(resident, messages, questions[i]!.origin));
  for (const [i, { length }] of prompts.entries()) {
    if (length >= resident.contextTokens) throw tooLong(questions[i]!, length, resident.contextTokens);
  }
  const prefix = chats.length < 2 ? undefined : await cachePrefix(session, prompts, adapter, signal);
  return { kind, model, chats, prompts, prefix };
}

function tooLong({ origin }: AskedQuestion, promptTokens: number, contextTokens: number): TuneError {
  const { file, line } = origin;
  return new TuneError(
    'dataset-invalid',
    `${file}:${line}: expected a prompt of fewer tokens than the model's context of ${contextTokens}, got ${promptTokens}`,
    { file, line, hint: 'Shorten the row or leave it out, or use fewer examples.' },
  );
}

function summarize(
  questions: readonly AskedQuestion[],
  texts: ReadonlyMap<AnswerKind, readonly string[]>,
  seed: number,
): ComparisonResult {
  const scored = questions.flatMap(({ reference }, index) => (reference === undefined ? [] : [{ reference, index }]));
  const counts = { questions: questions.length, scored: scored.length };
  if (scored.length === 0) return counts;
  const score = (kind: AnswerKind, measure: typeof tokenF1): number[] | undefined => {
    const answers = texts.get(kind);
    return answers && scored.map(({ reference, index }) => measure(answers[index]!, reference));
  };
  const average = (measure: typeof tokenF1): Scores =>
    Object.fromEntries([...texts.keys()].map(kind => [kind, mean(score(kind, measure)!)]));
  const [base, prompted, adapter] = (['base', 'prompted', 'adapter'] as const).map(kind => score(kind, tokenF1));
  return {
    ...counts,
    tokenF1: average(tokenF1),
    exactMatch: average(exactMatch),
    ...(base && adapter ? { adapterMinusBase: compareScores(adapter, base, seed) } : {}),
    ...(prompted && adapter ? { adapterMinusPrompted: compareScores(adapter, prompted, seed) } : {}),
  };
}
