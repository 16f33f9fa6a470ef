/** @file The winner of a search beside the best that a prompt can do: the same questions to the base, to the base with its best prompt, and to the winner. */

import { searchBestPrompt } from '../../infer/bestPrompt.ts';
import { compareAnswers } from '../../infer/compareAnswers.ts';
import { ModelPool } from '../../infer/modelPool.ts';
import { listQuestions, type RunData } from '../prepare/runQuestions.ts';
import type { MeasureRequest } from './measureOutputs.ts';
import { table } from './writeSearchReport.ts';

const mostQuestions = 24;
/** Training rows on which the number of examples is chosen. */
const keptAside = 16;
const maxTokens = 160;

/** Lines of the report. */
export async function compareWithPrompt(
  path: string,
  { examples, record }: RunData,
  { model, models, signal }: Pick<MeasureRequest, 'model' | 'models' | 'signal'>,
): Promise<string[]> {
  const side = examples.test.length > 0 ? examples.test : examples.heldOut;
  const questions = listQuestions(side).slice(0, mostQuestions);
  if (questions.length === 0) return [];
  const pool = new ModelPool({ models });
  try {
    const base = await pool.attach(model, null, signal);
    const training = listQuestions(examples.train);
    const { seed } = record.hyperparameters;
    const prompt = await searchBestPrompt({ session: base.session, training, keptAside, seed, signal });
    const tuned = await pool.attach(model, path, signal);
    const settings = { maxTokens, temperature: 0, topP: 1, seed };
    const comparison = compareAnswers({ questions, base, tuned, prompt, settings, signal });
    for (;;) {
      const next = await comparison.next();
      if (next.done !== true) continue;
      const { tokenF1, exactMatch, adapterMinusPrompted: difference } = next.value;
      const row = (label: string, kind: 'base' | 'prompted' | 'adapter') => [
        label,
        tokenF1?.[kind]?.toFixed(3) ?? '',
        exactMatch?.[kind] === undefined ? '' : `${(100 * exactMatch[kind]).toFixed(0)} %`,
      ];
      const interval =
        difference === undefined
          ? []
          : [
              '',
              `The tuned model is ahead of the best prompt by ${difference.difference.toFixed(3)} token F1 (95 % interval ${difference.low.toFixed(3)} to ${difference.high.toFixed(3)}).`,
            ];
      return [
        '## Beside the best prompt',
        '',
        `${questions.length} ${examples.test.length > 0 ? 'test' : 'held-out'} questions, answered without chance. The prompt: ${prompt.examples.length} examples${prompt.system === '' ? '' : ' and a system text'}, chosen on training rows.`,
        '',
        ...table(
          ['', 'Token F1', 'Exact'],
          [row('Base model', 'base'), row('Base with its best prompt', 'prompted'), row('Tuned', 'adapter')],
        ),
        ...interval,
        '',
      ];
    }
  } finally {
    await pool.release();
  }
}
