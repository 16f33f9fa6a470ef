/** The result of a comparison as lines for people. */
import type { ComparisonResult } from '../core/infer/compareAnswers.ts';
import type { ScoreComparison } from '../core/infer/compareScores.ts';
import type { Output } from './output.ts';

export function printComparison(output: Output, result: ComparisonResult): void {
  const { questions, scored, tokenF1, exactMatch, adapterMinusBase, adapterMinusPrompted } = result;
  if (tokenF1 === undefined) {
    output.print(`\n${questions} questions, none with a reference answer to measure against.`);
    return;
  }
  output.print(`\n${scored} of ${questions} questions have a reference answer.`);
  output.print('            token F1   exact match');
  for (const kind of ['base', 'prompted', 'adapter'] as const) {
    const value = tokenF1[kind];
    if (value === undefined) continue;
    const exact = `${(100 * (exactMatch?.[kind] ?? 0)).toFixed(1)} %`;
    output.print(`  ${kind.padEnd(10)}${value.toFixed(3).padStart(8)}${exact.padStart(14)}`);
  }
  if (adapterMinusBase) output.print(describe('adapter - base', adapterMinusBase));
  if (adapterMinusPrompted) output.print(describe('adapter - prompted', adapterMinusPrompted));
}

function describe(label: string, { difference, low, high, wins, ties, losses }: ScoreComparison): string {
  const interval = `95 % interval ${signed(low)} to ${signed(high)}`;
  return `  ${label}: ${signed(difference)} (${interval}; ${wins} better, ${ties} equal, ${losses} worse)`;
}

const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
