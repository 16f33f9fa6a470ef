/** @file Labels of a classification -> which one an answer gives, and accuracy and macro F1 over rows. */
import { splitWords } from '../../shared/tokenF1.ts';
import type { Figure } from './rowSums.ts';

const mostFoundLabels = 50;
const mostLabelWords = 6;

/** The distinct references where they look like labels: short, few, and each again and again. Undefined otherwise. */
export function findLabels(references: readonly string[]): string[] | undefined {
  const labels = new Map<string, string>();
  for (const reference of references) {
    const words = splitWords(reference);
    if (words.length === 0 || words.length > mostLabelWords) return undefined;
    if (!labels.has(words.join(' '))) labels.set(words.join(' '), reference.trim());
    if (labels.size > mostFoundLabels) return undefined;
  }
  return labels.size < 2 || labels.size * 2 > references.length ? undefined : [...labels.values()].sort();
}

/** The number of the label that the answer is, or names first; -1 for none. Of several at one place the longest counts. */
export function readLabel(answer: string, labels: readonly string[]): number {
  const words = splitWords(answer);
  const spelled = labels.map(splitWords);
  const whole = spelled.findIndex(label => label.join(' ') === words.join(' '));
  if (whole >= 0) return whole;
  let best = { at: Number.POSITIVE_INFINITY, length: 0, index: -1 };
  for (const [index, label] of spelled.entries()) {
    const at = words.findIndex((_, i) => label.every((word, j) => words[i + j] === word));
    if (at < 0 || label.length === 0) continue;
    if (at < best.at || (at === best.at && label.length > best.length)) best = { at, length: label.length, index };
  }
  return best.index;
}

/** For each label: rightly given, wrongly given, missed. */
export function countLabels(given: number, wanted: number, labels: number): number[] {
  const counts = new Array<number>(3 * labels).fill(0);
  const add = (index: number): number => (counts[index] = counts[index]! + 1);
  if (given === wanted) add(3 * wanted);
  else {
    if (given >= 0) add(3 * given + 1);
    add(3 * wanted + 2);
  }
  return counts;
}

/** F1 by label, averaged over the labels that were given or wanted. A row alone: right or wrong. */
export const macroF1Figure = (labels: number): Figure => ({
  width: 3 * labels,
  of: sums => {
    let total = 0;
    let seen = 0;
    for (let label = 0; label < labels; label++) {
      const [right, wrong, missed] = [sums[3 * label]!, sums[3 * label + 1]!, sums[3 * label + 2]!];
      if (right + wrong + missed === 0) continue;
      total += (2 * right) / (2 * right + wrong + missed);
      seen++;
    }
    return seen === 0 ? 0 : total / seen;
  },
  ofRow: values => {
    for (let label = 0; label < labels; label++) if (values[3 * label]! > 0) return 1;
    return 0;
  },
});
