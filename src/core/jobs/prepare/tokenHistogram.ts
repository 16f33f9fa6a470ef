/** @file Examples and a model's text side -> how many rows are how long in tokens. */
import { setImmediate } from 'node:timers/promises';
import type { TokenHistogram } from '../../../shared/review.ts';
import type { Example } from '../../data/example.ts';
import { encodeExample } from '../../text/encodeExample.ts';
import type { ModelText } from './openModelText.ts';

const bins = 24;
const rowsAtOnce = 200;

/** Bins of equal width from 0 to the longest row. @throws TuneError `dataset-invalid`; AbortError when cancelled */
export async function makeTokenHistogram(
  examples: readonly Example[],
  text: ModelText,
  contextTokens: number,
  signal: AbortSignal,
): Promise<Omit<TokenHistogram, 'model'>> {
  const lengths: number[] = [];
  for (const [index, example] of examples.entries()) {
    if (index % rowsAtOnce === rowsAtOnce - 1) {
      await setImmediate();
      signal.throwIfAborted();
    }
    lengths.push(encodeExample(example, 0, { ...text, contextTokens, trainOn: 'assistant' }).wholeTokens);
  }
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const width = Math.max(1, Math.ceil((longest + 1) / bins));
  const counts = new Array<number>(bins).fill(0);
  for (const length of lengths) counts[Math.floor(length / width)]!++;
  return { contextTokens, edges: Array.from({ length: bins + 1 }, (_, i) => i * width), counts };
}
