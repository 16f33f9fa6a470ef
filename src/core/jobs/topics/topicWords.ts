/**
 * @file Texts in groups -> the words that are typical of each group: class-based TF-IDF (Grootendorst 2022), a word's share of
 * the group's words times how rare it is in all of them together. @see https://arxiv.org/abs/2203.05794
 */
import { detectLanguage, listFunctionWords } from '../../data/check/detectLanguage.ts';

/** Scripts that write no space between words. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Lower case, in the order in which they stand. */
export function listWords(text: string): string[] {
  const folded = text.normalize('NFKC').toLowerCase();
  if (!unspaced.test(folded)) return folded.match(/[\p{L}\p{M}][\p{L}\p{M}\p{N}]*(?:['’-][\p{L}\p{M}]+)*/gu) ?? [];
  return Array.from(segmenter.segment(folded)).flatMap(({ segment, isWordLike }) => (isWordLike ? [segment] : []));
}

/** Words in at least so many texts of a group, or they are typical of a text rather than of the group. */
const fewestTexts = 2;

/** The most typical words of each group, at most `limit`. */
export function findTypicalWords(
  texts: readonly string[],
  assignment: ArrayLike<number>,
  groups: number,
  limit = 8,
): string[][] {
  const counts = Array.from({ length: groups }, () => new Map<string, { words: number; texts: number }>());
  const totals = new Map<string, number>();
  const functionWords = listFunctionWords(detectLanguage(texts.slice(0, 200).join('\n')));
  let all = 0;
  for (const [index, text] of texts.entries()) {
    const own = counts[assignment[index]!]!;
    const seen = new Set<string>();
    for (const word of listWords(text)) {
      if (functionWords.has(word) || (word.length < 2 && !unspaced.test(word))) continue;
      all++;
      totals.set(word, (totals.get(word) ?? 0) + 1);
      const held = own.get(word) ?? { words: 0, texts: 0 };
      own.set(word, held);
      held.words++;
      if (!seen.has(word)) held.texts++;
      seen.add(word);
    }
  }
  const perGroup = all / Math.max(1, groups);
  return counts.map(own => {
    const needed = Math.min(
      fewestTexts,
      [...own.values()].reduce((most, { texts: n }) => Math.max(most, n), 0),
    );
    const ownWords = [...own.values()].reduce((sum, { words }) => sum + words, 0);
    return [...own]
      .filter(([, { texts: n }]) => n >= needed)
      .map(([word, { words }]) => ({ word, weight: (words / ownWords) * Math.log(1 + perGroup / totals.get(word)!) }))
      .sort((a, b) => b.weight - a.weight || (a.word < b.word ? -1 : 1))
      .slice(0, limit)
      .map(({ word }) => word);
  });
}
