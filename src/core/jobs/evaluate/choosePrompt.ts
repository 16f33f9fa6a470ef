/** @file The prompt of a prompted candidate: as an earlier attempt chose it, as it was given, or the best that training rows find. */
import { TuneError } from '../../../shared/errors.ts';
import type { Candidate } from '../../../shared/evaluation.ts';
import type { BestPrompt } from '../../../shared/inferenceProtocol.ts';
import { type Prompt, searchBestPrompt, writePrompt } from '../../infer/bestPrompt.ts';
import type { DecodingSession } from '../../infer/decodingSession.ts';
import type { EvaluationContext } from './evaluationContext.ts';

/** Training rows on which the number of examples is chosen. */
const keptAside = 16;

/** @throws TuneError `usage` when there is nothing to make a prompt of; AbortError when cancelled */
export async function choosePrompt(
  session: DecodingSession,
  candidate: Extract<Candidate, { kind: 'prompted' }>,
  context: EvaluationContext,
): Promise<Prompt> {
  const { journal } = context;
  const known = readPrompt(context, candidate.id);
  if (known !== undefined) return known;
  const { system, examples, scores } = await findPrompt(session, candidate, context);
  journal.add({ kind: 'prompt', candidate: candidate.id, system, examples, scores });
  return { system, examples };
}

export function readPrompt({ journal }: Pick<EvaluationContext, 'journal'>, id: string): Prompt | undefined {
  return journal.list('prompt').find(line => line.candidate === id);
}

async function findPrompt(
  session: DecodingSession,
  { system: given, fewShot, label }: Extract<Candidate, { kind: 'prompted' }>,
  { data, request, signal, onPhase }: EvaluationContext,
): Promise<Omit<BestPrompt, 'chosenK'>> {
  const { training } = data;
  const { seed, decoding } = request;
  if (training.length === 0) {
    if (given !== null && (fewShot ?? 0) === 0) return { system: given, examples: [], scores: [] };
    throw new TuneError('usage', `${label}: expected training rows to make a prompt from, got none`, {
      hint: 'Judge the rows of a run (--run), or give the system text (--system) and no examples.',
    });
  }
  const search = { session, training, keptAside, seed, system: given ?? undefined, signal };
  if (fewShot !== null) {
    const questions = data.questions.filter(question => question !== undefined);
    return { ...writePrompt(search, fewShot, questions, decoding.maxTokens), scores: [] };
  }
  const onProgress = (done: number, total: number) => onPhase('searching the best prompt', done, total);
  return searchBestPrompt({ ...search, onProgress });
}
