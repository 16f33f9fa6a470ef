/** @file What cleaning would do -> a Markdown page: counts before and after each step, and the first rows it removes and changes. */
import type { CleaningResult, CleaningStepResult } from '../../shared/cleaning.ts';

export function writeCleaningPage(name: string, { rowsBefore, rowsAfter, brokenRows, steps }: CleaningResult): string {
  const rows = steps.map(
    ({ step, rowsBefore: before, rowsAfter: after, removed, changed }) =>
      `| ${step} | ${before} | ${after} | ${removed} | ${changed} |`,
  );
  const broken = brokenRows === 0 ? '' : ` ${brokenRows} rows cannot be read and are left out.`;
  return [
    `# Cleaning ${escapeMarkdown(name)}`,
    `${rowsBefore} rows before, ${rowsAfter} after.${broken} The dataset itself is not changed.`,
    ['| step | rows before | rows after | removed | changed |', '|---|---|---|---|---|', ...rows].join('\n'),
    ...steps.flatMap(describeRows),
    '',
  ].join('\n\n');
}

function describeRows({ step, removed, changed, removedRows, changedRows }: CleaningStepResult): string[] {
  const more = (all: number, shown: number) => (all > shown ? [`- ... and ${all - shown} more`] : []);
  const gone = removedRows.map(({ line, reason, text }) => `- line ${line} ${escapeMarkdown(reason)}: ${code(text)}`);
  const other = changedRows.map(({ line, before, after }) => `- line ${line} ${code(before)} → ${code(after)}`);
  return [
    ...(gone.length > 0 ? [`## ${step}: removed`, [...gone, ...more(removed, gone.length)].join('\n')] : []),
    ...(other.length > 0 ? [`## ${step}: changed`, [...other, ...more(changed, other.length)].join('\n')] : []),
  ];
}

/** Text of a dataset is shown, never run: as code it has no links, pictures or HTML. */
export function code(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  const fence = '`'.repeat(1 + Math.max(0, ...(line.match(/`+/g) ?? []).map(run => run.length)));
  return `${fence} ${line} ${fence}`;
}

export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+!|&~]/g, '\\$&');
}
