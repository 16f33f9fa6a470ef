/**
 * @file How much two answers overlap, word by word, whatever their order: the F1 of SQuAD (Rajpurkar et al. 2016) without
 * its removal of English articles, so that it means the same in every language.
 */

/** Lower-case words and numbers; each ideograph or kana is a word of its own, because nothing separates them. */
export function splitWords(text: string): string[] {
  const ideographs = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu;
  const spaced = text.normalize('NFKC').toLowerCase().replace(ideographs, ' $& ');
  return spaced.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** Harmonic mean of precision and recall over words, 0 to 1. Two texts without a word are equal: 1. */
export function tokenF1(answer: string, reference: string): number {
  const answered = splitWords(answer);
  const wanted = splitWords(reference);
  if (answered.length === 0 || wanted.length === 0) return answered.length === wanted.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of answered) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    shared += 1;
  }
  return (2 * shared) / (answered.length + wanted.length);
}
