/** @file The prompts to be answered during training -> an error when this model cannot answer them here. */
import { TuneError } from '../../shared/errors.ts';
import { askQuestion, encodePrompt, limitAnswer } from '../infer/encodePrompt.ts';
import type { Model } from '../models/findArchitecture.ts';
import { sampleAnswerTokens } from '../train/forecastMemory.ts';
import type { ModelText } from './openModelText.ts';

/** What the decoding graph's kernel asks of the size of a head. */
const headSizeStep = 16;

/** Before anything is written. @throws TuneError `usage` | `model-unsupported` | `dataset-invalid` */
export function checkSamplePrompts(
  { config }: Model,
  text: Pick<ModelText, 'tokenizer' | 'template'>,
  samplePrompts: readonly string[],
): void {
  if (samplePrompts.length === 0) return;
  const hint = 'Shorten the prompt, or leave samplePrompts out.';
  if (config.headSize % headSizeStep !== 0) {
    throw new TuneError(
      'model-unsupported',
      `samplePrompts: expected a model with head_dim a multiple of ${headSizeStep}, got ${config.headSize}`,
      { hint: 'Answers of this model cannot be computed here: leave samplePrompts out.' },
    );
  }
  for (const [index, prompt] of samplePrompts.entries()) {
    const tokens = encodePrompt(text, askQuestion(prompt)).length;
    try {
      limitAnswer(tokens, sampleAnswerTokens, config.maxContextTokens);
    } catch (error) {
      if (!(error instanceof TuneError)) throw error;
      throw new TuneError('usage', `samplePrompts, prompt ${index + 1}: ${error.message}`, { hint });
    }
  }
}
