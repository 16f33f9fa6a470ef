/**
 * @file Questions and answers -> how near they are in meaning: the cosine of their vectors by the base model, after what all
 * questions share, and all references, is taken away from each kind. The measure is the same for every candidate, whoever answered.
 */
import { lastQuestion } from '../../infer/answeredQuestion.ts';
import { embedTexts } from '../../infer/embed/embedTexts.ts';
import { centerVectors, dot, meanOf, rowOf } from '../../infer/embed/vectors.ts';
import { ModelPool } from '../../infer/modelPool.ts';
import type { EvaluationContext } from './evaluationContext.ts';

/** @throws TuneError; AbortError when cancelled */
export async function measureRelevance({
  request,
  data,
  journal,
  models,
  signal,
  onPhase,
}: EvaluationContext): Promise<void> {
  const asked = data.questions.flatMap((question, row) => (question === undefined ? [] : [{ question, row }]));
  const open = request.candidates.flatMap(({ id }) =>
    [...journal.rowsOf('answer', id).values()].filter(
      ({ row }) => !journal.has({ kind: 'relevance', row, candidate: id }),
    ),
  );
  if (open.length === 0) return;
  const pool = new ModelPool({
    models,
    weights: 'float',
    onProgress: (_model, phase, done, total) => onPhase(phase, done, total),
  });
  try {
    const { resident } = await pool.open(request.model, signal);
    const options = {
      signal,
      onProgress: (done: number, total: number) => onPhase('measuring relevance', done, total),
    };
    const embed = (texts: readonly string[]) => embedTexts(resident, texts, options);
    const questionVectors = await embed(asked.map(({ question }) => lastQuestion(question)));
    const questions = centerVectors(questionVectors, meanOf(questionVectors));
    const references = await embed(asked.map(({ question }) => question.reference));
    const placeOf = new Map(asked.map(({ row }, i) => [row, i]));
    const answers = centerVectors(await embed(open.map(({ text }) => text)), meanOf(references));
    for (const [i, { row, candidate, text }] of open.entries()) {
      // Nothing said is about nothing.
      const cosine = text.trim() === '' ? 0 : dot(rowOf(answers, i), rowOf(questions, placeOf.get(row)!));
      journal.add({ kind: 'relevance', row, candidate, cosine });
    }
  } finally {
    await pool.release();
  }
}
