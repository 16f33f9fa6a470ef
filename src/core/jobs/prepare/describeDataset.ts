/** @file A dataset as read -> what the form shows of it. */

import type { DatasetInspection } from '../../../shared/datasetProtocol.ts';
import { type Example, messagesOf } from '../../data/example.ts';
import type { ReadSummary } from '../../data/readDataset.ts';

/** First rows that are shown. */
export const shownRows = 5;
const shownCharacters = 600;

export function describeDataset(
  dataset: ReadSummary,
  firstExamples: readonly Example[],
  { tokens, model }: Pick<DatasetInspection, 'tokens' | 'model'>,
): DatasetInspection {
  return {
    path: dataset.file,
    fileBytes: dataset.fileBytes,
    format: dataset.format,
    encoding: dataset.encoding,
    fileCount: dataset.files.length,
    mapping: dataset.mapping.mapping,
    mappingChosen: dataset.mapping.isChosen,
    mappingReason: dataset.mapping.reason,
    fields: [...dataset.fields],
    rows: dataset.rows,
    usableRows: dataset.usableRows,
    problemCount: dataset.errorCount + dataset.warningCount,
    problems: dataset.problems.map(({ file, line, code, message, fix }) => ({ file, line, code, message, fix })),
    firstRows: firstExamples.slice(0, shownRows).map(describeExample),
    tokens,
    model,
  };
}

function describeExample(example: Example): DatasetInspection['firstRows'][number] {
  const { line } = example.origin;
  if (example.kind === 'text') return { line, prompt: '', answer: shorten(example.text) };
  const messages = messagesOf(example);
  const answer = messages.findLast(m => m.role === 'assistant')?.content ?? '';
  const prompt = messages.findLast(m => m.role === 'user')?.content ?? '';
  return { line, prompt: shorten(prompt), answer: shorten(answer) };
}

function shorten(text: string): string {
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`;
}
