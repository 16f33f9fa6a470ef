/**
 * @file A glossary -> which of its terms a text uses, and how many of those of a reference an answer has. Terms that stand
 * in the question are left out: to repeat them shows nothing.
 */
import { splitWords } from '../../shared/tokenF1.ts';

/** Terms, each as the spellings that count as it. */
export class Glossary {
  /** Spelling as words -> its term; by first word, so that a text is read once. */
  private readonly spellings = new Map<string, { readonly words: readonly string[]; readonly term: number }[]>();
  readonly size: number;

  constructor(terms: readonly (readonly string[])[]) {
    let term = 0;
    const known = new Set<string>();
    for (const spellings of terms) {
      const fresh = spellings.map(splitWords).filter(words => words.length > 0 && !known.has(words.join(' ')));
      if (fresh.length === 0) continue;
      for (const words of fresh) {
        known.add(words.join(' '));
        this.spellings.set(words[0]!, [...(this.spellings.get(words[0]!) ?? []), { words, term }]);
      }
      term++;
    }
    for (const list of this.spellings.values()) list.sort((a, b) => b.words.length - a.words.length);
    this.size = term;
  }

  /** The longest term at each place counts: "type 2 diabetes" holds no second "diabetes". */
  find(text: string): Set<number> {
    const words = splitWords(text);
    const found = new Set<number>();
    for (let at = 0; at < words.length; ) {
      const hit = this.spellings
        .get(words[at]!)
        ?.find(spelling => spelling.words.every((word, i) => words[at + i] === word));
      if (hit !== undefined) found.add(hit.term);
      at += hit?.words.length ?? 1;
    }
    return found;
  }

  /** How many of the terms that the answer should use it uses, and how many those are; undefined where there are none. */
  score(answer: string, reference: string, question: string): [used: number, wanted: number] | undefined {
    const named = this.find(question);
    const wanted = [...this.find(reference)].filter(term => !named.has(term));
    if (wanted.length === 0) return undefined;
    const used = this.find(answer);
    return [wanted.filter(term => used.has(term)).length, wanted.length];
  }
}
