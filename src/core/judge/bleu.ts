/**
 * @file BLEU (Papineni et al. 2002) by sacrebleu's definition and defaults: mteval-v13a's tokenizer, four orders,
 * exponential smoothing, one reference. For the figure of one row alone the order is that which the row has.
 */
import { countGrams, countShared, whiteSpace } from './countGrams.ts';
import type { Figure } from './rowSums.ts';

const orders = 4;
/** What sacrebleu takes for the logarithm of 0. */
const logOfZero = -9_999_999_999;

/** Answer and reference length in tokens, then for each order what is shared, then for each order what the answer has. */
export function countBleu(answer: string, reference: string): number[] {
  const [answered, wanted] = [tokenize13a(answer), tokenize13a(reference)];
  const shared: number[] = [];
  const total: number[] = [];
  for (let n = 1; n <= orders; n++) {
    shared.push(countShared(countGrams(answered, n, ' '), countGrams(wanted, n, ' ')));
    total.push(Math.max(0, answered.length - n + 1));
  }
  return [answered.length, wanted.length, ...shared, ...total];
}

/** 0 to 100. */
export const bleuFigure: Figure = {
  width: 2 + 2 * orders,
  of: sums => computeBleu(sums, false),
  ofRow: sums => computeBleu(sums, true),
};

function computeBleu(sums: ArrayLike<number>, isOrderEffective: boolean): number {
  const [answerTokens = 0, referenceTokens = 0] = [sums[0], sums[1]];
  const penalty =
    answerTokens >= referenceTokens ? 1 : answerTokens > 0 ? Math.exp(1 - referenceTokens / answerTokens) : 0;
  const shared = (n: number): number => sums[1 + n]!;
  if ([1, 2, 3, 4].every(n => shared(n) === 0)) return 0;
  let smoothing = 1;
  let logs = 0;
  let order = orders;
  for (let n = 1; n <= orders; n++) {
    const total = sums[1 + orders + n]!;
    if (total === 0) {
      if (!isOrderEffective) logs += (orders - n + 1) * logOfZero;
      break;
    }
    if (isOrderEffective) order = n;
    if (shared(n) === 0) smoothing *= 2;
    logs += Math.log(shared(n) === 0 ? 100 / (smoothing * total) : (100 * shared(n)) / total);
  }
  return penalty * Math.exp(logs / order);
}

/** @see mteval-v13a.pl */
export function tokenize13a(text: string): string[] {
  const line = trimEnd(text)
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  return ` ${line} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .split(whiteSpace)
    .filter(token => token !== '');
}

const trimEnd = (text: string): string => text.replace(new RegExp(`${whiteSpace.source}$`, 'u'), '');
