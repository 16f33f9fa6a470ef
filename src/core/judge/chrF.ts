/**
 * @file chrF2 (Popović 2015) by sacrebleu's definition and defaults: one to six characters without white space, recall
 * counted twice, averaged over the orders that both sides have.
 */
import { countGrams, countShared, whiteSpace } from './countGrams.ts';
import type { Figure } from './rowSums.ts';

const orders = 6;
const factor = 2 ** 2;

/** For each order what the answer has (0 where the reference has none), what the reference has, what they share. */
export function countChrF(answer: string, reference: string): number[] {
  const [answered, wanted] = [splitCharacters(answer), splitCharacters(reference)];
  const counts: number[] = [];
  for (let n = 1; n <= orders; n++) {
    const total = Math.max(0, wanted.length - n + 1);
    counts.push(
      total === 0 ? 0 : Math.max(0, answered.length - n + 1),
      total,
      countShared(countGrams(answered, n, ''), countGrams(wanted, n, '')),
    );
  }
  return counts;
}

/** 0 to 100. */
export const chrFFigure: Figure = { width: 3 * orders, of: computeChrF };

function computeChrF(sums: ArrayLike<number>): number {
  let precision = 0;
  let recall = 0;
  let effective = 0;
  for (let n = 0; n < orders; n++) {
    const [answered, wanted, shared] = [sums[3 * n]!, sums[3 * n + 1]!, sums[3 * n + 2]!];
    if (answered === 0 || wanted === 0) continue;
    precision += shared / answered;
    recall += shared / wanted;
    effective++;
  }
  if (precision + recall === 0) return 0;
  precision /= effective;
  recall /= effective;
  return (100 * (1 + factor) * precision * recall) / (factor * precision + recall);
}

const splitCharacters = (text: string): string[] => Array.from(text.split(whiteSpace).join(''));
