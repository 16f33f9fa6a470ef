/** @file Examples and a model's text side -> how long they are in tokens; and one of them, token by token. */

import type { DatasetInspection, RowTokens } from '../../../shared/datasetProtocol.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { Example } from '../../data/example.ts';
import { encodeExample } from '../../text/encodeExample.ts';
import type { ModelText } from './openModelText.ts';

/** Rows encoded between two looks at whether somebody still wants the answer. */
const rowsAtOnce = 200;
/** Enough to see a whole row before it is cut. */
const uncutTokens = 1_000_000;

/** @throws TuneError `dataset-invalid` when the template refuses a row; AbortError when cancelled */
export async function countTokens(
  examples: readonly Example[],
  text: ModelText,
  contextTokens: number,
  signal: AbortSignal,
): Promise<NonNullable<DatasetInspection['tokens']>> {
  const counter = new TokenCounter(text, contextTokens);
  for (const [i, example] of examples.entries()) {
    if (i % rowsAtOnce === rowsAtOnce - 1) await nextTurn(signal);
    counter.add(example);
  }
  return counter.counts;
}

/** Counts rows as they come. */
export class TokenCounter {
  readonly counts = { total: 0, supervised: 0, longestRow: 0, rowsOverContext: 0 };
  private readonly text: ModelText;
  private readonly contextTokens: number;

  constructor(text: ModelText, contextTokens: number) {
    this.text = text;
    this.contextTokens = contextTokens;
  }

  /** The row's tokens, uncut. @throws TuneError `dataset-invalid` when the template refuses the row */
  add(example: Example): number {
    const { counts, contextTokens } = this;
    const { row, wholeTokens } = encodeExample(example, 0, { ...this.text, contextTokens, trainOn: 'assistant' });
    counts.total += row?.tokenIds.length ?? 0;
    counts.supervised += row?.supervised.reduce((sum, one) => sum + one, 0) ?? 0;
    counts.longestRow = Math.max(counts.longestRow, wholeTokens);
    counts.rowsOverContext += Number(wholeTokens > contextTokens);
    return wholeTokens;
  }
}

/** @throws TuneError `usage` when there is no such row */
export function describeRow(
  examples: readonly Example[],
  index: number,
  { tokenizer, template }: ModelText,
  contextTokens: number,
): RowTokens {
  const example = examples[index];
  if (example === undefined) {
    throw new TuneError('usage', `row: expected a number below ${examples.length}, got ${index}`);
  }
  const { row } = encodeExample(example, index, { tokenizer, template, contextTokens, trainOn: 'assistant' });
  const shown =
    row ?? encodeExample(example, index, { tokenizer, template, contextTokens: uncutTokens, trainOn: 'all' }).row;
  const tokens = [...(shown?.tokenIds ?? [])].map((id, i) => ({
    id,
    text: tokenizer.tokenText(id),
    supervised: row?.supervised[i] === 1,
  }));
  return { line: example.origin.line, tokens };
}

/** Lets a cancellation in. */
async function nextTurn(signal: AbortSignal): Promise<void> {
  await new Promise(resolve => setImmediate(resolve));
  signal.throwIfAborted();
}
