/**
 * @file A dataset as it is now and what an earlier run was trained on -> the sides of a run on the new rows: they are split by
 * themselves, a share of the old training rows is replayed beside them against forgetting (experience replay: Rolnick et al.
 * 2019, arXiv:1811.11682), and what was held out stays so, so that both runs are measured on the same rows.
 */
import { createHash } from 'node:crypto';
import type { SplitName } from '../../../shared/runFolder.ts';
import type { Example } from '../example.ts';
import { contentKey, questionKey } from '../normalizeQuestion.ts';
import type { Split, SplitOptions } from './splitExamples.ts';
import { splitMarked } from './splitMarked.ts';

export interface EarlierRows {
  readonly examples: Readonly<Record<SplitName, readonly Example[]>>;
  /** Whether its training rows were cleaned: a row then counts as old when its question is. */
  readonly isCleaned: boolean;
}

export interface SplitSinceOptions extends SplitOptions {
  /** Of the training rows, 0 to below 1. */
  readonly replayRatio: number;
}

export interface SplitSince extends Omit<Split, 'rows'> {
  /** The side of each row; null for old rows that are not replayed. */
  readonly rows: readonly (SplitName | null)[];
  readonly newRows: number;
  readonly replayedRows: number;
}

/** Of each row: the side on which the earlier run had it, undefined for one that is new. */
export function findEarlierSides(
  examples: readonly Example[],
  { examples: earlier, isCleaned }: EarlierRows,
): (SplitName | undefined)[] {
  const left = new Map<string, SplitName[]>();
  const asked = new Map<string, SplitName>();
  for (const side of ['train', 'test', 'heldOut'] as const) {
    for (const example of earlier[side]) {
      const key = contentKey(example);
      const same = left.get(key);
      if (same === undefined) left.set(key, [side]);
      else same.push(side);
      asked.set(questionKey(example), side);
    }
  }
  return examples.map(
    example => left.get(contentKey(example))?.shift() ?? (isCleaned ? asked.get(questionKey(example)) : undefined),
  );
}

/** The rows of two runs, the second of which went on from the first: what it replayed is no second row. */
export function joinEarlier(first: EarlierRows, second: EarlierRows): EarlierRows {
  const join = (side: SplitName): Example[] => {
    const own = second.examples[side];
    const known = findEarlierSides(own, first);
    return [...first.examples[side], ...own.filter((_, row) => known[row] === undefined)];
  };
  const examples = { train: join('train'), heldOut: join('heldOut'), test: join('test') };
  return { examples, isCleaned: first.isCleaned || second.isCleaned };
}

export function splitSince(examples: readonly Example[], earlier: EarlierRows, options: SplitSinceOptions): SplitSince {
  const before = findEarlierSides(examples, earlier);
  const keptAside = new Map<string, SplitName>();
  for (const side of ['test', 'heldOut'] as const)
    for (const example of earlier.examples[side]) keptAside.set(questionKey(example), side);
  const rows: (SplitName | null)[] = before.map(side => side ?? null);
  const free: number[] = [];
  let newRows = 0;
  for (const [row, example] of examples.entries()) {
    if (before[row] !== undefined) continue;
    newRows++;
    // A question that was held out is not learned now: another answer to it would tell.
    const side = keptAside.get(questionKey(example));
    if (side !== undefined && example.synthetic === undefined) rows[row] = side;
    else if (side === undefined) free.push(row);
  }
  const split = splitMarked(
    free.map(row => examples[row]!),
    options,
  );
  for (const [i, row] of free.entries()) rows[row] = split.rows[i]!;
  const old = before.flatMap((side, row) => (side === 'train' ? [row] : []));
  const wanted = countReplayed(split.counts.train, options.replayRatio);
  const ranked = old.map(row => ({ row, rank: rankOf(examples[row]!, options.seed) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const replayed = new Set(ranked.slice(0, wanted).map(({ row }) => row));
  for (const row of old) if (!replayed.has(row)) rows[row] = null;
  const counts = { train: 0, heldOut: 0, test: 0 };
  for (const side of rows) if (side !== null) counts[side]++;
  return { ...split, rows, counts, newRows, replayedRows: replayed.size };
}

/** An order that rows and seed decide, wherever the rows stand. */
function rankOf(example: Example, seed: number): string {
  return createHash('sha256')
    .update(`replay ${seed}\n${contentKey(example)}`)
    .digest('hex');
}

/** Old rows beside `newRows` for the share among all. */
function countReplayed(newRows: number, replayRatio: number): number {
  return Math.round((newRows * replayRatio) / (1 - replayRatio));
}
