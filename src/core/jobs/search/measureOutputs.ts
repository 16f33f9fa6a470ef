/** @file Rows that were kept aside -> how the base model and adapters do on them: the loss of the answers, or how answers overlap with their references. */

import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import { tokenF1 } from '../../../shared/tokenF1.ts';
import { readAdapter } from '../../adapter/readAdapter.ts';
import type { Example } from '../../data/example.ts';
import { answerTogether } from '../../infer/answerTogether.ts';
import { encodePrompt } from '../../infer/encodePrompt.ts';
import { evaluateLoss } from '../../infer/evaluateLoss.ts';
import { findOutput } from '../../infer/findOutput.ts';
import { mean } from '../../infer/mean.ts';
import { ModelPool } from '../../infer/modelPool.ts';
import type { OpenModelOptions } from '../../models/openModel.ts';
import { encodeExamples } from '../../text/encodeExamples.ts';
import { listQuestions } from '../prepare/runQuestions.ts';

export interface MeasureRequest {
  /** The base model, by name or path. */
  readonly model: string;
  readonly models: OpenModelOptions;
  readonly examples: readonly Example[];
  readonly settings: Pick<Hyperparameters, 'contextTokens' | 'batchRows' | 'packing' | 'trainOn' | 'seed'>;
  readonly signal?: AbortSignal | undefined;
}

/** Mean loss in nats of each output in turn: a run's folder, or null for the base. Undefined where no row fits the context. */
export async function measureLosses(
  outputs: readonly (string | null)[],
  { model, models, examples, settings, signal }: MeasureRequest,
): Promise<(number | undefined)[]> {
  const pool = new ModelPool({ models, weights: 'float' });
  try {
    const losses: (number | undefined)[] = [];
    for (const path of outputs) {
      const output = path === null ? undefined : findOutput(path);
      const session = await pool.open(output?.kind === 'model' ? output.folder : model, signal);
      const contextTokens = Math.min(settings.contextTokens, session.resident.contextTokens);
      const { rows } = encodeExamples(examples, { ...session.resident, ...settings, contextTokens });
      const adapter = output?.kind === 'adapter' ? readAdapter(output.folder) : null;
      const shape = { ...settings, contextTokens, device: 'cpu' as const, signal };
      losses.push(
        rows.length === 0 ? undefined : (await evaluateLoss(session.resident, adapter, rows, shape)).evalLossNats,
      );
    }
    return losses;
  } finally {
    await pool.release();
  }
}

/** Questions answered at most: what decides between trials is wanted soon. */
const mostQuestions = 64;
const mostAnswerTokens = 160;

/** Mean token F1 of greedy answers, 0..1. */
export async function measureTokenF1(
  path: string,
  { model, models, examples, signal }: MeasureRequest,
): Promise<number> {
  const questions = listQuestions(examples).slice(0, mostQuestions);
  if (questions.length === 0) return 0;
  const pool = new ModelPool({ models });
  try {
    const { session, adapter } = await pool.attach(model, path, signal);
    const { resident } = session;
    const prompts = questions.map(({ messages }) => encodePrompt(resident, messages));
    const longest = Math.max(...questions.map(({ reference }) => resident.tokenizer.encode(reference).length));
    const maxTokens = Math.min(mostAnswerTokens, Math.ceil(1.25 * longest) + 4);
    const answers = await answerTogether(session, { prompts, adapter, maxTokens, signal });
    return mean(answers.map(({ text }, row) => tokenF1(text, questions[row]!.reference)));
  } finally {
    await pool.release();
  }
}
