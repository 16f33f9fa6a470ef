/** @file The prompts to be answered during training -> an error when this model cannot answer them here. */
import { TuneError } from '../../../shared/errors.ts';
import { askQuestion, encodePrompt, limitAnswer } from '../../infer/encodePrompt.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { countAnswerableTokens } from '../../models/ropeInputs.ts';
import { sampleAnswerTokens } from '../../train/forecastMemory.ts';
import type { ModelText } from './openModelText.ts';

/** Before anything is written. @throws TuneError `usage` | `dataset-invalid` */
export function checkSamplePrompts(
  { config }: Model,
  text: Pick<ModelText, 'tokenizer' | 'template'>,
  samplePrompts: readonly string[],
): void {
  if (samplePrompts.length === 0) return;
  const hint = 'Shorten the prompt, or leave samplePrompts out.';
  for (const [index, prompt] of samplePrompts.entries()) {
    const tokens = encodePrompt(text, askQuestion(prompt)).length;
    try {
      limitAnswer(tokens, sampleAnswerTokens, countAnswerableTokens(config));
    } catch (error) {
      if (!(error instanceof TuneError)) throw error;
      throw new TuneError('usage', `samplePrompts, prompt ${index + 1}: ${error.message}`, { hint });
    }
  }
}
