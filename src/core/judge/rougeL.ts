/**
 * @file ROUGE-L (Lin 2004): the F-measure of the longest common subsequence of words. As the package rouge-score without
 * stemming, except that words of every script count (splitWords): on ASCII text both are the same.
 */
import { splitWords } from '../../shared/tokenF1.ts';

/** 0 to 1; two texts without a word give 0. */
export function rougeL(answer: string, reference: string): number {
  const answered = splitWords(answer);
  const wanted = splitWords(reference);
  if (answered.length === 0 || wanted.length === 0) return 0;
  const common = measureCommonSubsequence(answered, wanted);
  return (2 * common) / (answered.length + wanted.length);
}

function measureCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let before = new Uint32Array(b.length + 1);
  let here = new Uint32Array(b.length + 1);
  for (const word of a) {
    for (let j = 1; j <= b.length; j++) {
      here[j] = word === b[j - 1] ? before[j - 1]! + 1 : Math.max(before[j]!, here[j - 1]!);
    }
    [before, here] = [here, before];
  }
  return before[b.length]!;
}
