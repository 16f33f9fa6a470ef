/** @file Whether two answers are the same words in the same order. */
import { splitWords } from '../../shared/tokenF1.ts';

/** 1 or 0; case, punctuation and white space do not count. */
export function exactMatch(answer: string, reference: string): number {
  return splitWords(answer).join(' ') === splitWords(reference).join(' ') ? 1 : 0;
}
