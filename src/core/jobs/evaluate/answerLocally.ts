/**
 * @file Candidates that are models of ours -> their answers, row by row. Greedy answers decode in groups, which changes none
 * of them; a few questions are answered once more alone, because that is what a person waits for.
 */

import { TuneError } from '../../../shared/errors.ts';
import type { Candidate } from '../../../shared/evaluation.ts';
import type { DecodingSettings } from '../../../shared/inferenceProtocol.ts';
import { promptedMessages } from '../../../shared/promptedMessages.ts';
import type { AnsweredQuestion } from '../../infer/answeredQuestion.ts';
import { answerTogether, maxGroupRows } from '../../infer/answerTogether.ts';
import type { Prompt } from '../../infer/bestPrompt.ts';
import { type CachedPrefix, cachePrefix } from '../../infer/cachedPrefix.ts';
import { encodePrompt } from '../../infer/encodePrompt.ts';
import { type Generation, generateText } from '../../infer/generateText.ts';
import { type AttachedModel, ModelPool } from '../../infer/modelPool.ts';
import { choosePrompt } from './choosePrompt.ts';
import type { EvaluationContext } from './evaluationContext.ts';

/** Questions answered alone at most. */
export const timedRows = 8;

export type LocalCandidate = Exclude<Candidate, { kind: 'endpoint' }>;
export const isLocal = (candidate: Candidate): candidate is LocalCandidate => candidate.kind !== 'endpoint';

/** What a candidate is asked; `row` is its number among the judged rows. */
interface Asked {
  readonly row: number;
  readonly question: AnsweredQuestion;
  readonly messages: AnsweredQuestion['messages'];
  readonly tokens: readonly number[];
}

/** @throws TuneError; AbortError when cancelled, with what was answered until then kept */
export async function answerLocally(context: EvaluationContext): Promise<void> {
  const { request, models, signal, onPhase } = context;
  const open = request.candidates.filter(isLocal).filter(candidate => isOpen(context, candidate));
  if (open.length === 0) return;
  const pool = new ModelPool({
    models,
    ...(request.float32 ? { weights: 'float' as const } : {}),
    onProgress: (_model, phase, done, total) => onPhase(phase, done, total),
  });
  try {
    for (const candidate of open) {
      const model = await attach(pool, candidate, context);
      const prompt = candidate.kind === 'prompted' ? await choosePrompt(model.session, candidate, context) : null;
      const asked = encodeQuestions(model, prompt, candidate, context);
      const prefix = asked.length < 2 ? undefined : await findPrefix(model, asked, signal);
      await answerRows(candidate, model, asked, prefix, context);
      await timeRows(candidate, model, asked, prefix, context);
    }
  } finally {
    await pool.release();
  }
}

function isOpen({ journal, data, request }: EvaluationContext, { id, kind }: LocalCandidate): boolean {
  if (kind === 'prompted' && !journal.has({ kind: 'prompt', candidate: id })) return true;
  const answers = journal.rowsOf('answer', id);
  const rows = data.questions.flatMap((question, row) => (question === undefined ? [] : [row]));
  const wantsTiming = request.metrics.some(name => name === 'secondsPerAnswer' || name === 'tokensPerSecond');
  return (
    rows.some(row => !answers.has(row)) ||
    (wantsTiming && journal.rowsOf('timing', id).size < Math.min(timedRows, rows.length))
  );
}

function attach(pool: ModelPool, candidate: LocalCandidate, context: EvaluationContext): Promise<AttachedModel> {
  const { request, outputs, signal } = context;
  if (candidate.kind === 'model') return pool.attach(candidate.model, null, signal);
  const output = outputs.get(candidate.id);
  if (output === undefined) return pool.attach(request.model, null, signal);
  return pool.attach(request.model, output.kind === 'model' ? [output.folder] : output.folders, signal);
}

/** A question that fills the context gets no answer, and the reader of the report hears why. */
function encodeQuestions(
  { session }: AttachedModel,
  prompt: Prompt | null,
  { id }: LocalCandidate,
  { data, journal }: EvaluationContext,
): Asked[] {
  const { resident } = session;
  return data.questions.flatMap((question, row): Asked[] => {
    if (question === undefined) return [];
    const messages = prompt === null ? question.messages : promptedMessages(question.messages, prompt);
    let reason: string;
    try {
      const tokens = encodePrompt(resident, messages, question.origin);
      if (tokens.length < resident.contextTokens) return [{ row, question, messages, tokens }];
      reason = `a prompt of ${tokens.length} tokens, where the model's context has ${resident.contextTokens}`;
    } catch (error) {
      if (!(error instanceof TuneError) || error.code !== 'dataset-invalid') throw error;
      reason = error.message;
    }
    journal.add({ kind: 'answer', row, candidate: id, text: '', end: 'refused', reason });
    return [];
  });
}

function findPrefix(
  { session, adapter }: AttachedModel,
  asked: readonly Asked[],
  signal: AbortSignal,
): Promise<CachedPrefix | undefined> {
  return cachePrefix(
    session,
    asked.map(({ tokens }) => tokens),
    adapter,
    signal,
  );
}

async function answerRows(
  { id, label }: LocalCandidate,
  { session, adapter }: AttachedModel,
  asked: readonly Asked[],
  prefix: CachedPrefix | undefined,
  { request, journal, signal, onPhase }: EvaluationContext,
): Promise<void> {
  const { maxTokens, temperature } = request.decoding;
  const open = asked.filter(({ row }) => !journal.has({ kind: 'answer', row, candidate: id }));
  const tell = (done: number) => onPhase(`answering: ${label}`, asked.length - open.length + done, asked.length);
  const keep = ({ row }: Asked, { text, stopReason, outputTokens }: Generation): void => {
    const end = stopReason === 'end' ? 'end' : 'length';
    journal.add({ kind: 'answer', row, candidate: id, text, end, outputTokens });
  };
  tell(0);
  const size = temperature === 0 ? maxGroupRows : 1;
  for (let from = 0; from < open.length; from += size) {
    const group = open.slice(from, from + size);
    if (temperature === 0) {
      const prompts = group.map(({ tokens }) => tokens);
      const answers = await answerTogether(session, { prompts, adapter, prefix, maxTokens, signal });
      for (const [i, answer] of answers.entries()) keep(group[i]!, answer);
    } else {
      const settings = decodingOf(request, group[0]!.row);
      const answer = await generateText(session, { messages: group[0]!.messages, adapter, prefix, settings, signal });
      signal.throwIfAborted();
      keep(group[0]!, answer);
    }
    tell(from + group.length);
  }
}

/** The first answers alone. */
async function timeRows(
  { id, label }: LocalCandidate,
  { session, adapter }: AttachedModel,
  asked: readonly Asked[],
  prefix: CachedPrefix | undefined,
  { request, journal, signal, onPhase }: EvaluationContext,
): Promise<void> {
  if (!request.metrics.some(name => name === 'secondsPerAnswer' || name === 'tokensPerSecond')) return;
  for (const [i, { row, messages }] of asked.slice(0, timedRows).entries()) {
    if (journal.has({ kind: 'timing', row, candidate: id })) continue;
    onPhase(`timing: ${label}`, i, Math.min(timedRows, asked.length));
    const startedAt = performance.now();
    const settings = decodingOf(request, row);
    const { outputTokens } = await generateText(session, { messages, adapter, prefix, settings, signal });
    signal.throwIfAborted();
    const seconds = (performance.now() - startedAt) / 1000;
    journal.add({ kind: 'timing', row, candidate: id, seconds, outputTokens });
  }
}

/** Drawn answers depend on their row, not on what was asked before. */
const decodingOf = ({ decoding, seed }: EvaluationContext['request'], row: number): DecodingSettings => ({
  ...decoding,
  seed: seed + row,
});
