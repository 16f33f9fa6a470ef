/** @file Answers of candidates and of one opponent -> what a judging model says of each pair, in both orders. */
import { basename } from 'node:path';
import type { Candidate, EvaluationRequest, JudgeReference } from '../../../shared/evaluation.ts';
import { lastQuestion } from '../../infer/answeredQuestion.ts';
import { ModelPool } from '../../infer/modelPool.ts';
import { askVerdict, type Order, orders, readVerdict } from '../../judge/pairwiseJudge.ts';
import { EndpointTeacher } from '../../teachers/endpointTeacher.ts';
import { LocalTeacher } from '../../teachers/localTeacher.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { EvaluationContext } from './evaluationContext.ts';
import { openNamedEndpoint } from './namedEndpoints.ts';

/** A judge says one word; some say a few before it. */
const verdictTokens = 24;

interface Duel {
  readonly row: number;
  readonly candidate: string;
  readonly order: Order;
}

/** Whom the others are compared with: the best that a prompt does, where that is among the candidates. */
export function chooseOpponent(candidates: readonly Candidate[]): Candidate {
  return candidates.find(({ kind }) => kind === 'prompted') ?? candidates[0]!;
}

export function nameJudge(judge: JudgeReference): string {
  if (judge.kind === 'endpoint') return `${judge.endpoint.model} at ${judge.endpoint.baseUrl}`;
  return judge.adapter === null ? judge.model : `${basename(judge.adapter)} on ${judge.model}`;
}

/** @throws TuneError; AbortError when cancelled; verdicts that came are kept */
export async function judgePairs(context: EvaluationContext): Promise<void> {
  const { request, data, journal, signal, onPhase } = context;
  if (request.judge === null || request.candidates.length < 2) return;
  const opponent = chooseOpponent(request.candidates);
  const opposed = journal.rowsOf('answer', opponent.id);
  const duels: Duel[] = request.candidates
    .filter(({ id }) => id !== opponent.id)
    .flatMap(({ id }) =>
      data.questions.flatMap((question, row) => (question ? orders.map(order => ({ row, candidate: id, order })) : [])),
    );
  const identity = (duel: Duel) => ({ kind: 'verdict' as const, ...duel, opponent: opponent.id });
  const open = duels.filter(duel => !journal.has(identity(duel)));
  if (open.length === 0) return;
  const answers = new Map(request.candidates.map(({ id }) => [id, journal.rowsOf('answer', id)]));
  const conversations = open.map((duel, row) => {
    const question = data.questions[duel.row]!;
    return {
      row,
      messages: askVerdict(
        {
          question: lastQuestion(question),
          reference: question.reference,
          candidate: answers.get(duel.candidate)?.get(duel.row)?.text ?? '',
          opponent: opposed.get(duel.row)?.text ?? '',
        },
        duel.order,
      ),
    };
  });
  let done = duels.length - open.length;
  onPhase('judging', done, duels.length);
  const judge = await openJudge(request, request.judge, context);
  try {
    await judge.answerAll({
      conversations,
      onOutcome: (index, outcome) => {
        const duel = open[index]!;
        const verdict = outcome.kind === 'refused' ? 'unclear' : readVerdict(outcome.text, duel.order);
        journal.add({ ...identity(duel), verdict });
        onPhase('judging', ++done, duels.length);
      },
      signal,
    });
  } finally {
    await judge.release();
  }
}

async function openJudge(
  { seed }: EvaluationRequest,
  judge: JudgeReference,
  { models, signal, onPhase }: EvaluationContext,
): Promise<Teacher> {
  const settings = { maxTokens: verdictTokens, temperature: 0, topP: 1, seed };
  if (judge.kind === 'endpoint') return new EndpointTeacher(openNamedEndpoint(judge.endpoint), settings);
  const pool = new ModelPool({ models, onProgress: (_model, phase, done, total) => onPhase(phase, done, total) });
  try {
    const attached = await pool.attach(judge.model, judge.adapter, signal);
    return new LocalTeacher(nameJudge(judge), attached, settings, () => pool.release());
  } catch (error) {
    await pool.release();
    throw error;
  }
}
