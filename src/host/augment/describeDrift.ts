/** @file A drift report -> one sentence with its numbers. */
import type { DriftReport } from '../../shared/drift.ts';

export function describeDrift({ rows, length, vocabulary, topics, loss }: DriftReport): string {
  const shifts = [
    ...(length.isShifted ? [`length (median ${length.oldMedian} to ${length.newMedian} characters)`] : []),
    ...(vocabulary.isShifted ? [`words (${vocabulary.moreOften.slice(0, 3).join(', ')})`] : []),
    ...(topics?.isShifted === true ? ['topics'] : []),
  ];
  const what = shifts.length === 0 ? 'no shift' : `shifted: ${shifts.join('; ')}`;
  const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
  const measured =
    loss === null
      ? ''
      : `; the adapter's loss on them ${signed(loss.differenceNats)} nats (95 % from ${signed(loss.low)} to ${signed(loss.high)})`;
  return `${rows.new} new rows beside ${rows.old}: ${what}${measured}`;
}
