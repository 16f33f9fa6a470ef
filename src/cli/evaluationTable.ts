/** The figures of an evaluation as lines for people. */
import type { EvaluationResult } from '../shared/evaluationFiles.ts';
import { formatMetric, metricTable } from '../shared/metricTable.ts';

export type EvaluationLineResult = Pick<EvaluationResult, 'candidates' | 'metrics' | 'findings' | 'rows'> & {
  readonly report: string;
};

/** A table of candidates x metrics, each figure with its interval, then what it means. */
export function formatEvaluation({ candidates, metrics, findings, rows, report }: EvaluationLineResult): string {
  const lines = metrics.flatMap(({ name, values }) => [
    `${metricTable[name].label} (${metricTable[name].better} is better)`,
    ...values.map(({ candidate, value, low, high }) => {
      const label = candidates.find(({ id }) => id === candidate)?.label ?? candidate;
      const interval = `${formatMetric(name, low)} to ${formatMetric(name, high)}`;
      return `  ${formatMetric(name, value).padStart(10)}  (${interval})  ${label}`;
    }),
  ]);
  const said = findings.map(({ message, reason }) => `${message} ${reason}`.trim());
  return [`${rows} rows, 95 % intervals.`, ...lines, ...said, report].join('\n');
}
