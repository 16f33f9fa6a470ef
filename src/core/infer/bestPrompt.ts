/**
 * @file Training rows -> the best prompt for the base model: a system text and k examples, k chosen by how well the base
 * answers training rows that are kept aside. What a developer would try by hand before fine-tuning; held-out rows never
 * take part.
 */
import type { BestPrompt } from '../../shared/inferenceProtocol.ts';
import { promptedMessages } from '../../shared/promptedMessages.ts';
import { tokenF1 } from '../../shared/tokenF1.ts';
import { normalizeText } from '../data/normalizeQuestion.ts';
import { permute } from '../text/seededOrder.ts';
import { type AnsweredQuestion, lastQuestion } from './answeredQuestion.ts';
import { answerTogether } from './answerTogether.ts';
import { cachePrefix } from './cachedPrefix.ts';
import { chooseExamples } from './chooseExamples.ts';
import type { DecodingSession } from './decodingSession.ts';
import { describeTask } from './describeTask.ts';
import { encodePrompt } from './encodePrompt.ts';
import { mean } from './mean.ts';

export const exampleCounts = [0, 2, 4, 8] as const;

export interface PromptSearch {
  readonly session: DecodingSession;
  /** Rows of the training split and of no other. */
  readonly training: readonly AnsweredQuestion[];
  /** Rows on which the number of examples is decided. */
  readonly keptAside: number;
  readonly seed: number;
  /** Instead of the one that describes the task. */
  readonly system?: string | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What stands in front of a question. */
export type Prompt = Pick<BestPrompt, 'system' | 'examples'>;

const asidePurpose = 11;
/** Answers are judged against their reference: there is no use in letting the base ramble on for much longer. */
const maxAnswerTokens = 160;

/** The prompt; of equal scores the one with fewer examples. @throws AbortError when cancelled */
export async function searchBestPrompt(search: PromptSearch): Promise<BestPrompt> {
  const { session, onProgress, signal } = search;
  const { aside, pool } = keepAside(search);
  const { tokenizer, contextTokens } = session.resident;
  const longest = Math.max(0, ...aside.map(({ reference }) => tokenizer.encode(reference).length));
  const maxTokens = Math.min(maxAnswerTokens, Math.ceil(1.25 * longest) + 4);
  const fits = (question: AnsweredQuestion, prompt: Prompt): boolean =>
    encodePrompt(session.resident, promptedMessages(question.messages, prompt)).length + maxTokens <= contextTokens;

  const candidates = writePrompts(pool, search).map(prompt => ({ prompt, k: prompt.examples.length }));
  const rows = aside.filter(question => fits(question, candidates[0]!.prompt));
  const tried = candidates.filter(({ prompt }, i) => i === 0 || rows.every(question => fits(question, prompt)));
  const total = tried.length * rows.length;
  const scores: BestPrompt['scores'] = [];
  onProgress?.(0, total);
  for (const { prompt, k } of tried) {
    const done = scores.length * rows.length;
    const tokenF1s = await scorePrompt(search, rows, prompt, maxTokens, row => onProgress?.(done + row, total));
    scores.push({ k, tokenF1: rows.length === 0 ? 0 : mean(tokenF1s) });
  }
  signal?.throwIfAborted();
  const best = scores.reduce((most, score) => (score.tokenF1 > most.tokenF1 ? score : most));
  return { ...tried.find(({ k }) => k === best.k)!.prompt, scores, chosenK: best.k };
}

/** The prompt with as many examples as asked for, or as there are and fit the context with `maxTokens` of an answer. */
export function writePrompt(
  { session, training, seed, system = describeTask(training) }: Omit<PromptSearch, 'keptAside'>,
  count: number,
  questions: readonly Pick<AnsweredQuestion, 'messages'>[],
  maxTokens: number,
): Prompt {
  const { resident } = session;
  const examples = chooseExamples(training, count, seed).map(toExample);
  for (let k = examples.length; k > 0; k--) {
    const prompt = { system, examples: examples.slice(0, k) };
    const longest = Math.max(
      ...questions.map(({ messages }) => encodePrompt(resident, promptedMessages(messages, prompt)).length),
    );
    if (longest + maxTokens <= resident.contextTokens) return prompt;
  }
  return { system, examples: [] };
}

/** One prompt for each number of examples that the pool has, fewest first. */
function writePrompts(pool: readonly AnsweredQuestion[], { seed, system: given }: PromptSearch): Prompt[] {
  const examples = chooseExamples(pool, Math.max(...exampleCounts), seed).map(toExample);
  const system = given ?? (pool.length === 0 ? '' : describeTask(pool));
  return exampleCounts.filter(k => k <= examples.length).map(k => ({ system, examples: examples.slice(0, k) }));
}

function toExample(question: AnsweredQuestion): BestPrompt['examples'][number] {
  return { question: lastQuestion(question), answer: question.reference, line: question.origin.line };
}

/** At most half of the rows go aside; no question that stands there stands among the examples. */
function keepAside({ training, keptAside, seed }: PromptSearch): {
  aside: AnsweredQuestion[];
  pool: AnsweredQuestion[];
} {
  const order = permute(training.length, seed, asidePurpose);
  const count = Math.min(keptAside, Math.floor(training.length / 2));
  const aside = Array.from(order.subarray(0, count), index => training[index]!);
  const asked = new Set(aside.map(question => normalizeText(lastQuestion(question))));
  return { aside, pool: training.filter(question => !asked.has(normalizeText(lastQuestion(question)))) };
}

async function scorePrompt(
  { session, signal }: PromptSearch,
  rows: readonly AnsweredQuestion[],
  prompt: Prompt,
  maxTokens: number,
  onDone: (rows: number) => void,
): Promise<number[]> {
  const adapter = session.baseInputs;
  const prompts = rows.map(({ messages }) => encodePrompt(session.resident, promptedMessages(messages, prompt)));
  const prefix = rows.length === 0 ? undefined : await cachePrefix(session, prompts, adapter, signal);
  const answers = await answerTogether(session, { prompts, adapter, prefix, maxTokens, signal, onDone });
  return answers.map(({ text }, row) => tokenF1(text, rows[row]!.reference));
}
