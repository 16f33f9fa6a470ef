/** @file What a cleaning step did -> what is shown of it: counts, and the first rows that it removed and changed. */
import type { CleaningStepResult } from '../../../shared/cleaning.ts';
import { textsOf } from '../check/exampleTexts.ts';
import type { CleanedStep } from './cleanExamples.ts';

const shownCharacters = 80;
/** What stands before the first difference of two texts is shown as far back. */
const contextCharacters = 16;

export function describeStep(
  { step, rowsBefore, rowsAfter, removed, changed }: CleanedStep,
  shownRows: number,
): CleaningStepResult {
  return {
    step: step.step,
    rowsBefore,
    rowsAfter,
    removed: removed.length,
    changed: changed.length,
    removedRows: removed
      .slice(0, shownRows)
      .map(({ example, reason }) => ({ ...example.origin, reason, text: shorten(textsOf(example).join(' | ')) })),
    changedRows: changed.slice(0, shownRows).map(({ before, after }) => {
      const [texts, changedTexts] = [textsOf(before), textsOf(after)];
      const at = texts.findIndex((text, i) => text !== changedTexts[i]);
      return { ...before.origin, ...showDifference(texts[at] ?? '', changedTexts[at] ?? '') };
    }),
  };
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters)}…`;
}

function showDifference(before: string, after: string): { before: string; after: string } {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at++;
  const start = Math.max(0, at - contextCharacters);
  return { before: before.slice(start, start + shownCharacters), after: after.slice(start, start + shownCharacters) };
}
