/**
 * @file Proposed rows -> those that are new: what asks or nearly asks what is held out goes, then what stands in the dataset
 * or among the proposals already, exactly or nearly. Nearness is told by the text that was written anew, because the rest of
 * a row is its source's on purpose.
 */
import { setImmediate } from 'node:timers/promises';
import { findNearDuplicates } from '../../data/check/nearDuplicates.ts';
import type { Example } from '../../data/example.ts';
import { contentKey, normalizeText } from '../../data/normalizeQuestion.ts';
import { hashQuestion } from '../../data/synthetic.ts';
import type { NewRow } from './augmentTask.ts';

export interface SieveOptions {
  /** Rows of the new file that are there already. */
  readonly training: readonly Example[];
  /** Rows that are held out, and those for the test. */
  readonly keptAside: readonly Example[];
  /** The text of a row that a new one's `text` is compared with. */
  readonly textOf: (example: Example) => string;
  /** Of two texts (Jaccard of 5-grams) from which on they are one. */
  readonly similarity: number;
  readonly signal?: AbortSignal | undefined;
}

export type Fate = 'kept' | 'unchanged' | 'heldOutCopies' | 'duplicates' | 'nearDuplicates';

/** Of held-out texts nearness counts from here on, whatever else was asked for: a copy there falsifies what is measured. */
const leakSimilarity = 0.8;

/** What becomes of each, in their order. @throws AbortError when cancelled */
export async function sieveRows(proposed: readonly NewRow[], options: SieveOptions): Promise<Fate[]> {
  const { training, keptAside, textOf, similarity, signal } = options;
  await setImmediate();
  signal?.throwIfAborted();
  const asked = new Set(keptAside.map(hashQuestion));
  const texts = proposed.map(({ text }) => text);
  const keptTexts = keptAside.map(textOf);
  const leaks = await findNearDuplicates([...keptTexts, ...texts], {
    similarity: Math.min(similarity, leakSimilarity),
    referenceCount: keptTexts.length,
    isAgainstReferences: true,
    signal,
  });
  const contents = new Set(training.map(contentKey));
  const normalized = new Set(training.map(example => normalizeText(textOf(example))));
  const fates = proposed.map(({ example, text, before }, i): Fate => {
    if (before !== '' && text.trim() === before.trim()) return 'unchanged';
    if (asked.has(hashQuestion(example)) || leaks[keptTexts.length + i] !== undefined) return 'heldOutCopies';
    const [content, key] = [contentKey(example), normalizeText(text)];
    if (contents.has(content) || normalized.has(key)) return 'duplicates';
    contents.add(content);
    normalized.add(key);
    return 'kept';
  });
  // Only what is left is compared with each other, so that a copy that went hides no other row.
  const left = fates.flatMap((fate, i) => (fate === 'kept' ? [i] : []));
  const own = training.map(textOf);
  const near = await findNearDuplicates([...own, ...left.map(i => texts[i]!)], {
    similarity,
    referenceCount: own.length,
    signal,
  });
  for (const [n, i] of left.entries()) if (near[own.length + n] !== undefined) fates[i] = 'nearDuplicates';
  return fates;
}
