/**
 * @file A text and a thesaurus -> the text with synonyms in place of some of its words (Wei and Zou 2019, arXiv:1901.11196).
 * Names, code, links and placeholders stay; a word keeps its capital, its plural ending and the article before it.
 */
import { createGenerator } from '../../text/seededOrder.ts';
import type { Thesaurus } from './thesaurus.ts';

/** What is never touched: code, links, placeholders; and words with digits or signs inside. */
const kept = /```[\s\S]*?(?:```|$)|`[^`\n]+`|https?:\/\/\S+|\{[^{}\n]*\}|<[^<>\n]*>/g;

interface Candidate {
  readonly index: number;
  readonly word: string;
  readonly synonyms: readonly string[];
}

/** The same text where no word has synonyms. Chosen by the seeds alone. */
export function replaceSynonyms(text: string, thesaurus: Thesaurus, share: number, seeds: readonly number[]): string {
  const words = listWords(text);
  const candidates = words.flatMap(({ word, index, startsSentence }): Candidate[] => {
    const isName = /^\p{Lu}/u.test(word) && (!startsSentence || /\p{Lu}/u.test(word.slice(1)));
    const synonyms = isName ? [] : findSynonyms(word, thesaurus);
    return synonyms.length === 0 ? [] : [{ word, index, synonyms }];
  });
  const next = createGenerator(seeds);
  const below = (count: number): number => Math.floor((next() / 2 ** 32) * count);
  const wanted = Math.min(candidates.length, Math.max(1, Math.round(share * words.length)));
  const chosen: { readonly candidate: Candidate; readonly synonym: string }[] = [];
  const left = [...candidates];
  while (chosen.length < wanted) {
    const [candidate] = left.splice(below(left.length), 1);
    chosen.push({ candidate: candidate!, synonym: candidate!.synonyms[below(candidate!.synonyms.length)]! });
  }
  let result = text;
  // From the end, so that places before stay where they are.
  for (const { candidate, synonym } of chosen.sort((a, b) => b.candidate.index - a.candidate.index)) {
    const { index, word } = candidate;
    const before = matchArticle(result.slice(0, index), synonym);
    result = before + keepCapital(word, synonym) + result.slice(index + word.length);
  }
  return result;
}

/** The words that could be asked about, in lower case. */
export function listContentWords(text: string): string[] {
  return listWords(text).flatMap(({ word, startsSentence }) => {
    const isName = /^\p{Lu}/u.test(word) && !startsSentence;
    return isName || word.length < 4 || functionWords.has(word.toLowerCase()) ? [] : [word.toLowerCase()];
  });
}

/** English words that carry no meaning of their own; in other languages a teacher simply finds no synonyms for such. */
const functionWords = new Set(
  'what when where which who whom whose why how that this these those with from into about have has had does did done been being were was will would shall should could can may might must there their them they then than your yours ours some such only also very just more most much many each other another both either neither because while until after before over under between through during without within upon'.split(
    ' ',
  ),
);

function listWords(text: string): { word: string; index: number; startsSentence: boolean }[] {
  const mask = (found: string): string => '\0'.repeat(found.length);
  const masked = text.replace(kept, mask).replace(/\S+/g, found => (/[\d_@]/.test(found) ? mask(found) : found));
  return Array.from(masked.matchAll(/\p{L}[\p{L}\p{M}'’-]*/gu), ({ 0: word, index }) => ({
    word,
    index,
    startsSentence: /(?:^|[.!?\n]["'”’)]*\s*)$/.test(masked.slice(Math.max(0, index - 6), index)) || index === 0,
  }));
}

function findSynonyms(word: string, thesaurus: Thesaurus): readonly string[] {
  const lower = word.toLowerCase();
  const own = thesaurus.get(lower);
  if (own !== undefined) return own;
  if (!/[^s]s$/.test(lower)) return [];
  // A plural by its singular; what does not take an s alone is left out.
  const singular = thesaurus.get(lower.slice(0, -1)) ?? [];
  return singular.filter(synonym => /^[a-z]+$/.test(synonym) && !/(?:s|x|z|ch|sh|y)$/.test(synonym)).map(s => `${s}s`);
}

function keepCapital(word: string, synonym: string): string {
  return /^\p{Lu}/u.test(word) ? synonym.charAt(0).toUpperCase() + synonym.slice(1) : synonym;
}

function matchArticle(before: string, synonym: string): string {
  return before.replace(/\b(a|an)(\s+)$/i, (_, article: string, space: string) => {
    const fitting = /^[aeiou]/i.test(synonym) ? 'an' : 'a';
    return `${/^A/.test(article) ? fitting.charAt(0).toUpperCase() + fitting.slice(1) : fitting}${space}`;
  });
}
