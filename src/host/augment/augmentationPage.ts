/** @file New rows -> a Markdown page that shows them beside what they were made of, and what was dropped. */
import { basename } from 'node:path';
import type { AugmentationCounts, AugmentationResult } from '../../shared/augmentation.ts';
import { code, escapeMarkdown } from '../dataset/cleaningPage.ts';

export function writeAugmentationPage(name: string, result: AugmentationResult): string {
  const { shown, problems, counts, teacher, brokenRows } = result;
  const rows = shown.map(({ file, line, method, before, question, answer }) =>
    [
      `## ${method}, ${escapeMarkdown(basename(file))}${line === null ? '' : ` line ${line}`}`,
      ...(before === '' ? [] : [`before: ${code(before)}`]),
      `question: ${code(question)}`,
      `answer: ${code(answer)}`,
    ].join('\n\n'),
  );
  const dropped = describeDropped(counts);
  const by = teacher === null ? 'without a teacher' : `by ${escapeMarkdown(teacher)}`;
  return [
    `# New rows for ${escapeMarkdown(name)}`,
    `Some of them as a preview, ${by}. The dataset itself is not changed.`,
    ...(brokenRows === 0 ? [] : [`Rows of the dataset that cannot be read and are left out: ${brokenRows}.`]),
    ...(dropped === '' ? [] : [`Not taken: ${dropped}.`]),
    ...rows,
    ...(problems.length === 0
      ? []
      : ['## Answers that nothing came of', problems.map(({ message }) => `- ${code(message)}`).join('\n')]),
    '',
  ].join('\n\n');
}

/** In words; '' when nothing was dropped. */
export function describeDropped(counts: AugmentationCounts): string {
  const words = [
    ['refused', 'without an answer'],
    ['cut', 'cut at the limit of tokens'],
    ['unreadable', 'not in the form asked for'],
    ['unchanged', 'unchanged'],
    ['heldOutCopies', 'copies of held-out rows'],
    ['duplicates', 'duplicates'],
    ['nearDuplicates', 'near duplicates'],
  ] as const;
  return words.flatMap(([name, what]) => (counts[name] === 0 ? [] : [`${counts[name]} ${what}`])).join(', ');
}
