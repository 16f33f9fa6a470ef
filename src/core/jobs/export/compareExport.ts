/**
 * @file A tuned model and what was exported of it -> how far apart their answers are: the logits of every token of a prompt,
 * on the exported files as whoever uses them will read them.
 */
import { TuneError } from '../../../shared/errors.ts';
import type { ExportCheck, ExportType } from '../../../shared/exportFormats.ts';
import type { Adapter } from '../../adapter/readAdapter.ts';
import { makeAdapterInputs } from '../../infer/adapterInputs.ts';
import { DecodingSession } from '../../infer/decodingSession.ts';
import { askQuestion, encodePrompt } from '../../infer/encodePrompt.ts';
import { findLargest } from '../../infer/findLargest.ts';
import { loadResidentModel } from '../../infer/residentModel.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { countFreeBytes } from '../forecast/freeMemory.ts';
import { openModelText } from '../prepare/openModelText.ts';
import type { TunedModel } from './openTuned.ts';

/** Logits [S, V] of the prompt's tokens. */
export interface ProbedLogits {
  readonly tokenIds: readonly number[];
  readonly logits: Float32Array;
}

const probeQuestion = 'What should I know before I start? Name three things, and say why each of them matters.';
const maxProbeTokens = 48;

/** Distances that rounding explains: of the logits' difference over their spread. */
const largestDifference = {
  float32: 1e-3,
  float16: 0.03,
  bfloat16: 0.15,
  q8_0: 0.25,
  q4_0: 0.9,
} as const satisfies Record<ExportType, number>;

/** The prompt that both are asked. */
export function chooseProbe({ base }: Pick<TunedModel, 'base'>): number[] {
  return encodePrompt(openModelText(base), askQuestion(probeQuestion)).slice(0, maxProbeTokens);
}

/** Whether the model's weights fit into free memory as floats. */
export function canProbe({ weightCount }: Pick<TunedModel, 'weightCount'>): boolean {
  return 5 * weightCount < 0.8 * countFreeBytes();
}

/** Runs the model in float32. */
export async function probe(
  opened: OpenModel,
  adapter: Adapter | null,
  tokenIds: readonly number[],
  signal?: AbortSignal,
): Promise<ProbedLogits> {
  const resident = await loadResidentModel(opened, { weights: 'float', signal });
  const session = await DecodingSession.create(resident);
  try {
    const inputs = makeAdapterInputs(resident.model, adapter, resident);
    const { logits } = await session.extendGuessed(tokenIds, session.emptyCache(), inputs);
    return { tokenIds, logits };
  } finally {
    await session.release();
  }
}

/** @throws TuneError `engine` when they are further apart than the type's rounding explains */
export function compareLogits(
  expected: ProbedLogits,
  actual: Float32Array,
  { tool, type, path }: { readonly tool: string; readonly type: ExportType; readonly path: string },
): ExportCheck {
  const tokens = expected.tokenIds.length;
  const width = expected.logits.length / tokens;
  let [distance, spread, sameTokens] = [0, 0, 0];
  for (let row = 0; row < tokens; row++) {
    const [a, b] = [expected.logits, actual].map(all => all.subarray(row * width, (row + 1) * width));
    // A shift of all logits changes no answer.
    const [meanA, meanB] = [a!, b!].map(values => values.reduce((sum, value) => sum + value, 0) / width);
    for (let i = 0; i < width; i++) {
      distance += (a![i]! - meanA! - (b![i]! - meanB!)) ** 2;
      spread += (a![i]! - meanA!) ** 2;
    }
    if (findLargest(a!) === findLargest(b!)) sameTokens++;
  }
  const difference = spread === 0 ? Math.sqrt(distance) : Math.sqrt(distance / spread);
  if (difference <= largestDifference[type]) return { tool, tokens, sameTokens, difference };
  throw new TuneError(
    'engine',
    `${path}: expected the tuned model's logits within ${largestDifference[type]}, got a difference of ${difference}`,
    { hint: 'Nothing was exported. Report this with the model and the format.' },
  );
}
