/**
 * @file Examples, some of which a program made -> their sides. Synthetic rows are never held out as long as people's rows are
 * there: those alone are split, as if nothing stood beside them, so that the same rows are held out with and without
 * augmentation. Training leaves out what was made from a held-out question, and what goes over a share of all rows.
 */
import type { Example } from '../example.ts';
import { hashQuestion, questionsOf } from '../synthetic.ts';
import { type Split, type SplitOptions, splitExamples } from './splitExamples.ts';

/** Where all rows are synthetic they are split as any others: there is nothing else to measure on. */
export function splitMarked(examples: readonly Example[], options: SplitOptions, near?: ArrayLike<number>): Split {
  const real = examples.flatMap((example, row) => (example.synthetic === undefined ? [row] : []));
  if (real.length === examples.length || real.length === 0) return splitExamples(examples, options, near);
  const split = splitExamples(
    real.map(row => examples[row]!),
    options,
    near && real.map(row => near[row]!),
  );
  const rows: Split['rows'][number][] = examples.map(() => 'train');
  for (const [i, row] of real.entries()) rows[row] = split.rows[i]!;
  const synthetic = examples.length - real.length;
  return { ...split, rows, counts: { ...split.counts, train: split.counts.train + synthetic } };
}

export interface UnfitRows {
  /** Rows that training leaves out. */
  readonly rows: ReadonlySet<number>;
  /** Made from a question that is held out, or asking one. */
  readonly leaked: number;
  /** Over the share. */
  readonly surplus: number;
}

/**
 * The synthetic training rows that must go: those that would tell what is held out, and the last of those that exceed
 * `maxShare` of all training rows. Nothing where every row is synthetic.
 */
export function findUnfit(
  examples: readonly Example[],
  { rows: sides }: Pick<Split, 'rows'>,
  maxShare: number,
): UnfitRows {
  const gone = new Set<number>();
  const isSynthetic = (row: number) => examples[row]!.synthetic !== undefined;
  if (!examples.some((_, row) => isSynthetic(row)) || examples.every((_, row) => isSynthetic(row)))
    return { rows: gone, leaked: 0, surplus: 0 };
  const kept = new Set(examples.flatMap((example, row) => (sides[row] === 'train' ? [] : [hashQuestion(example)])));
  const made: number[] = [];
  let people = 0;
  for (const [row, example] of examples.entries()) {
    if (sides[row] !== 'train') continue;
    if (!isSynthetic(row)) people++;
    else if (questionsOf(example).some(question => kept.has(question))) gone.add(row);
    else made.push(row);
  }
  const leaked = gone.size;
  const surplus = made.slice(countAllowed(people, maxShare));
  for (const row of surplus) gone.add(row);
  return { rows: gone, leaked, surplus: surplus.length };
}

/** Synthetic rows beside `people` others for a share of at most `maxShare` of all. */
export function countAllowed(people: number, maxShare: number): number {
  return maxShare >= 1 ? Number.POSITIVE_INFINITY : Math.floor((people * maxShare) / (1 - maxShare) + 1e-9);
}
