/** @file What can be said of rows beside each other, without judging: equal rows, questions answered twice, the main language. */
import type { Example } from '../example.ts';
import { normalizeText } from '../normalizeQuestion.ts';
import { detectLanguage } from './detectLanguage.ts';
import { answerOf, questionOf, textsOf } from './exampleTexts.ts';

/** For each row the earlier row that it equals but for case, punctuation and space. */
export function findDuplicates(examples: readonly Example[]): (number | undefined)[] {
  const seen = new Map<string, number>();
  return examples.map((example, index) => {
    const key = JSON.stringify(textsOf(example).map(normalizeText));
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    return first;
  });
}

export function repeatsQuestion(example: Example): boolean {
  if (example.kind === 'text') return false;
  const question = questionOf(example);
  return question !== '' && normalizeText(question) === normalizeText(answerOf(example));
}

/** Rows that ask the same (everything before the last answer, folded) and answer differently, in groups by their order. */
export function findConflicts(examples: readonly Example[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const [index, example] of examples.entries()) {
    if (example.kind !== 'chat') continue;
    const end = example.messages.findLastIndex(({ role }) => role === 'assistant');
    const key = JSON.stringify(
      example.messages.slice(0, end).map(({ role, content }) => [role, normalizeText(content)]),
    );
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  return [...groups.values()].filter(
    group => group.length > 1 && new Set(group.map(index => normalizeText(answerOf(examples[index]!)))).size > 1,
  );
}

export interface Languages {
  /** Of each row, by its answer; undefined where it is not clear. */
  readonly rows: readonly (string | undefined)[];
  /** The language of most rows, if more than half of those that have one share it. */
  readonly main: string | undefined;
  readonly counts: Readonly<Record<string, number>>;
}

export function findLanguages(examples: readonly Example[]): Languages {
  const rows = examples.map(
    example => detectLanguage(answerOf(example)) ?? detectLanguage(textsOf(example).join('\n')),
  );
  const counts = new Map<string, number>();
  for (const language of rows) if (language !== undefined) counts.set(language, (counts.get(language) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const known = sorted.reduce((sum, [, count]) => sum + count, 0);
  const main = sorted[0] !== undefined && sorted[0][1] > known / 2 ? sorted[0][0] : undefined;
  return { rows, main, counts: Object.fromEntries(sorted) };
}
