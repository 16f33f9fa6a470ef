/** @file Candidates behind an endpoint -> their answers: each question is paid for once, whatever goes wrong on the way. */
import type { Candidate } from '../../../shared/evaluation.ts';
import { EndpointTeacher } from '../../teachers/endpointTeacher.ts';
import type { EvaluationContext } from './evaluationContext.ts';
import { openNamedEndpoint } from './namedEndpoints.ts';

/** @throws TuneError `endpoint-failed` when no more can be had; AbortError when cancelled; what came is kept */
export async function askEndpoints(context: EvaluationContext): Promise<void> {
  for (const candidate of context.request.candidates) {
    if (candidate.kind === 'endpoint') await askEndpoint(candidate, context);
  }
}

async function askEndpoint(
  { id, label, endpoint }: Extract<Candidate, { kind: 'endpoint' }>,
  { request, data, journal, signal, onPhase }: EvaluationContext,
): Promise<void> {
  const asked = data.questions.flatMap((question, row) =>
    question === undefined ? [] : [{ row, messages: question.messages }],
  );
  const conversations = asked.filter(({ row }) => !journal.has({ kind: 'answer', row, candidate: id }));
  let done = asked.length - conversations.length;
  onPhase(`answering: ${label}`, done, asked.length);
  if (conversations.length === 0) return;
  const teacher = new EndpointTeacher(openNamedEndpoint(endpoint), { ...request.decoding, seed: request.seed });
  try {
    await teacher.answerAll({
      conversations,
      onOutcome: (row, outcome, seconds) => {
        const answered = { row, candidate: id };
        if (outcome.kind === 'refused') {
          journal.add({ kind: 'answer', ...answered, text: '', end: 'refused', reason: outcome.reason });
        } else {
          journal.add({
            kind: 'answer',
            ...answered,
            text: outcome.text,
            end: outcome.kind === 'cut' ? 'length' : 'end',
          });
          if (seconds !== undefined) journal.add({ kind: 'timing', ...answered, seconds, outputTokens: null });
        }
        onPhase(`answering: ${label}`, ++done, asked.length);
      },
      signal,
    });
  } finally {
    await teacher.release();
  }
}
