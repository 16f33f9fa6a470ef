/** @file Examples -> train, held-out and test rows, by groups of equal questions, as a pure function of the questions and a seed. */
import { createHash } from 'node:crypto';
import type { SplitName } from '../../../shared/runFolder.ts';
import type { Example } from '../example.ts';
import { questionKey } from '../normalizeQuestion.ts';

export interface SplitOptions {
  readonly seed: number;
  /** Share of the rows kept aside to measure while training, 0..1. */
  readonly evalRatio: number;
  /** Share of the rows kept aside for the end, 0..1. */
  readonly testRatio: number;
}

export interface Split extends SplitOptions {
  /** The side of each row. */
  readonly rows: readonly SplitName[];
  readonly counts: Readonly<Record<SplitName, number>>;
  /** Different questions, which are the most that can be told apart. */
  readonly groups: number;
}

interface Group {
  readonly rank: string;
  readonly rows: number[];
}

/**
 * The side of every row. Equal questions always stand on one side; with a ratio above 0 a side gets at least one row as long
 * as enough questions differ (2 for held-out, 3 for both), and training always keeps one. Which side a question is on does
 * not depend on the order of the rows.
 * @param near the group of each row, beside that of its question: rows of one group stand on one side too
 */
export function splitExamples(examples: readonly Example[], options: SplitOptions, near?: ArrayLike<number>): Split {
  const groups = groupByQuestion(examples, options.seed, near);
  const rows = new Array<SplitName>(examples.length).fill('train');
  const left = new Set(groups);
  const sides = [
    { side: 'test', ratio: options.testRatio },
    { side: 'heldOut', ratio: options.evalRatio },
  ] as const;
  // Held-out comes last but is served first where questions are few: measuring while training matters more.
  let spare = groups.length - 1;
  const wanted = sides.filter(({ ratio }) => ratio > 0);
  const served = spare >= wanted.length ? wanted : wanted.slice(wanted.length - spare);
  for (const [index, { side, ratio }] of served.entries()) {
    const stillToServe = served.length - 1 - index;
    const taken = takeGroups(left, Math.max(1, Math.round(ratio * examples.length)), spare - stillToServe);
    spare -= taken.length;
    for (const group of taken) {
      left.delete(group);
      for (const row of group.rows) rows[row] = side;
    }
  }
  const counts = { train: 0, heldOut: 0, test: 0 };
  for (const side of rows) counts[side]++;
  const { seed, evalRatio, testRatio } = options;
  return { seed, evalRatio, testRatio, rows, counts, groups: groups.length };
}

/** Groups of rows with equal questions or in one group of `near`, in an order that only the questions and the seed decide. */
function groupByQuestion(examples: readonly Example[], seed: number, near: ArrayLike<number> | undefined): Group[] {
  const byKey = new Map<string, Group>();
  const parents = new Map<Group, Group>();
  const rootOf = (group: Group): Group => {
    let root = group;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    return root;
  };
  const byNear = new Map<number, Group>();
  for (const [row, example] of examples.entries()) {
    const key = questionKey(example);
    const group = byKey.get(key) ?? { rank: createHash('sha256').update(`${seed}\n${key}`).digest('hex'), rows: [] };
    byKey.set(key, group);
    group.rows.push(row);
    if (near === undefined) continue;
    const beside = rootOf(byNear.get(near[row]!) ?? group);
    const own = rootOf(group);
    // The lowest rank is kept, whichever row comes first.
    const [lower, higher] = beside.rank <= own.rank ? [beside, own] : [own, beside];
    if (lower !== higher) parents.set(higher, lower);
    byNear.set(near[row]!, lower);
  }
  const joined = new Map<Group, number[]>();
  for (const group of byKey.values()) {
    const root = rootOf(group);
    joined.set(root, [...(joined.get(root) ?? []), ...group.rows]);
  }
  const groups = [...joined].map(([{ rank }, rows]) => ({ rank, rows }));
  return groups.sort((a, b) => (a.rank < b.rank ? -1 : 1));
}

/** Groups in order that together come close to `target` rows, at most `limit` of them; the smallest one when none fits. */
function takeGroups(groups: ReadonlySet<Group>, target: number, limit: number): Group[] {
  const taken: Group[] = [];
  let rows = 0;
  for (const group of groups) {
    if (taken.length >= limit || rows >= target) break;
    if (rows + group.rows.length > target) continue;
    taken.push(group);
    rows += group.rows.length;
  }
  if (taken.length > 0 || limit < 1) return taken;
  const smallest = [...groups].reduce((best, group) => (group.rows.length < best.rows.length ? group : best));
  return [smallest];
}
