/** @file Candidates that are models of ours -> the loss of each row's reference, by training's own graph in float32. */

import { encodePromptedAnswers } from '../../infer/encodeAnswer.ts';
import { evaluateLoss } from '../../infer/evaluateLoss.ts';
import { ModelPool } from '../../infer/modelPool.ts';
import { readAdapters } from '../../infer/readAdapters.ts';
import type { ResidentModel } from '../../infer/residentModel.ts';
import { encodeExamples } from '../../text/encodeExamples.ts';
import type { EncodedRow } from '../../text/packedBatch.ts';
import { isLocal, type LocalCandidate } from './answerLocally.ts';
import { readPrompt } from './choosePrompt.ts';
import type { EvaluationContext } from './evaluationContext.ts';

/** @throws TuneError; AbortError when cancelled, with what was measured until then kept */
export async function measureReferenceLosses(context: EvaluationContext): Promise<void> {
  const { request, data, models, onPhase, journal, outputs, signal } = context;
  const isOpen = ({ id }: LocalCandidate): boolean => journal.rowsOf('loss', id).size < data.examples.length;
  const open = request.candidates.filter(isLocal).filter(isOpen);
  if (open.length === 0) return;
  const pool = new ModelPool({
    models,
    weights: 'float',
    onProgress: (_model, phase, done, total) => onPhase(phase, done, total),
  });
  try {
    for (const candidate of open) {
      const output = outputs.get(candidate.id);
      const model =
        candidate.kind === 'model' ? candidate.model : output?.kind === 'model' ? output.folder : request.model;
      const { resident } = await pool.open(model, signal);
      const adapter = output?.kind === 'adapter' ? readAdapters(output.folders, resident.model) : null;
      const { rows, contextTokens } = encodeRows(resident, candidate, context);
      const encoded = new Set(rows.map(({ row }) => row));
      for (const row of data.examples.keys()) {
        if (!encoded.has(row)) journal.add({ kind: 'loss', row, candidate: candidate.id, lossNats: 0, tokens: 0 });
      }
      const missing = rows.filter(({ row }) => !journal.has({ kind: 'loss', row, candidate: candidate.id }));
      if (missing.length === 0) continue;
      await evaluateLoss(resident, adapter, missing, {
        ...data.lossShape,
        contextTokens,
        device: 'cpu',
        onRow: (row, lossNats, tokens) => journal.add({ kind: 'loss', row, candidate: candidate.id, lossNats, tokens }),
        onProgress: (done, total) => onPhase(`measuring losses: ${candidate.label}`, done, total),
        signal,
      });
    }
  } finally {
    await pool.release();
  }
}

/** Behind a prompt the reference alone is measured, in a context that holds the prompt too, as far as the model's does. */
function encodeRows(
  resident: ResidentModel,
  candidate: LocalCandidate,
  context: EvaluationContext,
): { rows: EncodedRow[]; contextTokens: number } {
  const { data } = context;
  const prompt = candidate.kind === 'prompted' ? readPrompt(context, candidate.id) : undefined;
  if (prompt === undefined) {
    const contextTokens = Math.min(data.lossShape.contextTokens, resident.contextTokens);
    return {
      rows: encodeExamples(data.examples, { ...resident, ...data.lossShape, contextTokens }).rows,
      contextTokens,
    };
  }
  const asked = data.questions.flatMap((question, row) => (question === undefined ? [] : [{ question, row }]));
  const questions = asked.map(({ question }) => question);
  const encoded = encodePromptedAnswers(resident, questions, prompt).map(row => ({ ...row, row: asked[row.row]!.row }));
  const needed = Math.max(8, ...encoded.map(({ tokenIds }) => tokenIds.length));
  const contextTokens = Math.min(resident.contextTokens, Math.ceil(needed / 64) * 64);
  return { rows: encoded.filter(({ tokenIds }) => tokenIds.length <= contextTokens), contextTokens };
}
