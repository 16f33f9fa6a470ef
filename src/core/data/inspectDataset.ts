/** @file A dataset in memory -> the report that `tuning-fork inspect` prints and the dataset page shows. Tokens are the text step's. */
import type { DatasetReport, PreviewRow } from './datasetReport.ts';
import { type Example, messagesOf } from './example.ts';
import { measureLengths } from './measureLengths.ts';
import { contentKey, questionKey } from './normalizeQuestion.ts';
import type { Dataset } from './readDataset.ts';

export interface InspectOptions {
  /** First rows shown. Default 5. */
  readonly previewRows?: number | undefined;
}

/** What can be said of a dataset without a model. */
export function inspectDataset(dataset: Dataset, { previewRows = 5 }: InspectOptions = {}): DatasetReport {
  const { examples, ...read } = dataset;
  return {
    ...read,
    messagesPerExample: countMessages(examples),
    repeatedQuestions: countRepeats(examples, questionKey),
    repeatedRows: countRepeats(examples, contentKey),
    exampleCharacters: measureLengths(examples.map(example => countCharacters(example, () => true))),
    assistantCharacters: measureLengths(
      examples.flatMap(example =>
        example.kind === 'text' ? [] : [countCharacters(example, role => role === 'assistant')],
      ),
    ),
    preview: examples.slice(0, previewRows).map(toPreview),
  };
}

function countMessages(examples: readonly Example[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const example of examples) {
    const key = String(messagesOf(example).length);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** Examples whose key an earlier one had. */
function countRepeats(examples: readonly Example[], keyOf: (example: Example) => string): number {
  return examples.length - new Set(examples.map(keyOf)).size;
}

function countCharacters(example: Example, isCounted: (role: string) => boolean): number {
  if (example.kind === 'text') return example.text.length;
  return messagesOf(example).reduce((sum, { role, content }) => sum + (isCounted(role) ? content.length : 0), 0);
}

function toPreview(example: Example): PreviewRow {
  const messages = example.kind === 'text' ? [{ role: 'text' as const, content: example.text }] : messagesOf(example);
  return { line: example.origin.line, messages };
}
