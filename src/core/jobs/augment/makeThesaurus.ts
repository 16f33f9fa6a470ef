/** @file Training rows and a teacher -> a thesaurus of their most frequent words, asked in groups. */
import type { AugmentationMethod } from '../../../shared/augmentation.ts';
import type { ChatMessage } from '../../../shared/inferenceProtocol.ts';
import type { Example } from '../../data/example.ts';
import type { TeacherOutcome } from '../../teachers/teacher.ts';
import { textOf } from './augmentTask.ts';
import { listContentWords } from './replaceSynonyms.ts';
import { askSynonyms } from './teacherPrompts.ts';
import { parseThesaurus, type Thesaurus } from './thesaurus.ts';

const wordsAQuestion = 25;

type SynonymMethod = Extract<AugmentationMethod, { method: 'synonyms' }>;

/** Numbered from 0, in the order of the words' frequency. */
export function planThesaurus(
  training: readonly Example[],
  methods: readonly SynonymMethod[],
): { row: number; messages: ChatMessage[] }[] {
  const counts = new Map<string, number>();
  for (const { part } of methods)
    for (const example of training)
      for (const word of listContentWords(textOf(example, part))) counts.set(word, (counts.get(word) ?? 0) + 1);
  const limit = Math.max(0, ...methods.map(({ words }) => words));
  const words = [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([word]) => word);
  const groups = Array.from({ length: Math.ceil(words.length / wordsAQuestion) }, (_, i) =>
    words.slice(i * wordsAQuestion, (i + 1) * wordsAQuestion),
  );
  return groups.map((group, row) => ({ row, messages: askSynonyms(group) }));
}

/** What all answers say together. */
export function joinThesaurus(outcomes: readonly (TeacherOutcome | undefined)[]): Thesaurus {
  const texts = outcomes.map(outcome => (outcome === undefined || outcome.kind === 'refused' ? '' : outcome.text));
  return parseThesaurus(texts.join('\n'));
}
