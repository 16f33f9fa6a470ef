/**
 * @file The examples of one side of the split -> its token rows, and what there is to say of them. For preference tuning
 * each example gives two rows, the chosen answer's and the rejected one's, one after the other.
 */
import type { Example, Origin } from '../data/example.ts';
import {
  type DropReason,
  type EncodedExample,
  type EncodeSettings,
  encodeAnswer,
  encodeExample,
} from './encodeExample.ts';
import type { EncodedRow } from './packedBatch.ts';

export interface EncodeReport {
  readonly examples: number;
  readonly rows: number;
  readonly tokens: number;
  readonly supervisedTokens: number;
  readonly longestTokens: number;
  /** Rows cut at the context's length, and the tokens that this lost. */
  readonly truncatedRows: number;
  readonly truncatedTokens: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Origins of the first dropped rows. */
  readonly droppedFirst: readonly { readonly origin: Origin; readonly reason: DropReason }[];
  readonly chatRows: number;
  readonly chatTokens: number;
  readonly chatSupervisedTokens: number;
  readonly rowsWithTwoBos: number;
  readonly rowsThatLearnEnd: number;
  readonly rowsWithControlText: number;
  readonly rowsThatDropSystem: number;
}

type Counts = { -readonly [K in keyof EncodeReport]: EncodeReport[K] } & {
  dropped: Record<DropReason, number>;
  droppedFirst: { origin: Origin; reason: DropReason }[];
};

/**
 * Encodes every example; `onProgress` is told the number done.
 * @param pairs whether preferences become pairs of rows; otherwise their chosen answer alone counts
 */
export function encodeExamples(
  examples: readonly Example[],
  settings: EncodeSettings & { readonly pairs?: boolean },
  onProgress?: (done: number) => void,
): { rows: EncodedRow[]; report: EncodeReport } {
  const rows: EncodedRow[] = [];
  const report = emptyCounts(examples.length);
  for (const [i, example] of examples.entries()) {
    const encoded =
      settings.pairs && example.kind === 'preference'
        ? [example.chosen, example.rejected].map(answer => encodeAnswer(example, answer, i, settings))
        : [encodeExample(example, i, settings)];
    for (const { wholeTokens } of encoded) report.longestTokens = Math.max(report.longestTokens, wholeTokens);
    const dropped = encoded.find(part => part.dropped !== null)?.dropped;
    if (dropped) {
      report.dropped[dropped] += 1;
      if (report.droppedFirst.length < 20) report.droppedFirst.push({ origin: example.origin, reason: dropped });
    } else {
      for (const part of encoded) {
        rows.push(part.row!);
        countRow(report, part, example.kind !== 'text');
      }
    }
    onProgress?.(i + 1);
  }
  return { rows, report };
}

function emptyCounts(examples: number): Counts {
  return {
    examples,
    rows: 0,
    tokens: 0,
    supervisedTokens: 0,
    longestTokens: 0,
    truncatedRows: 0,
    truncatedTokens: 0,
    dropped: { 'nothing-to-learn': 0, 'cut-away': 0 },
    droppedFirst: [],
    chatRows: 0,
    chatTokens: 0,
    chatSupervisedTokens: 0,
    rowsWithTwoBos: 0,
    rowsThatLearnEnd: 0,
    rowsWithControlText: 0,
    rowsThatDropSystem: 0,
  };
}

function countRow(report: Counts, { row, wholeTokens, facts }: EncodedExample, isChat: boolean): void {
  const { tokenIds, supervised } = row!;
  const supervisedTokens = supervised.reduce((sum, one) => sum + one, 0);
  report.rows += 1;
  report.tokens += tokenIds.length;
  report.supervisedTokens += supervisedTokens;
  report.truncatedRows += Number(wholeTokens > tokenIds.length);
  report.truncatedTokens += wholeTokens - tokenIds.length;
  if (isChat) {
    report.chatRows += 1;
    report.chatTokens += tokenIds.length;
    report.chatSupervisedTokens += supervisedTokens;
  }
  report.rowsWithTwoBos += Number(facts.startsWithTwoBos);
  report.rowsThatLearnEnd += Number(facts.learnsEnd);
  report.rowsWithControlText += Number(facts.hasControlText);
  report.rowsThatDropSystem += Number(facts.dropsSystem);
}
