/** @file An evaluation's result -> the parts that both of its reports say: headings, tables, sentences. */
import type { EvaluationRecord, MetricName } from '../../../shared/evaluation.ts';
import type { EvaluationResult, LineOf, MeasuredMetric } from '../../../shared/evaluationFiles.ts';
import { formatMetric, formatMetricDifference, metricTable } from '../../../shared/metricTable.ts';

export interface ReportTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface ReportSection {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly table?: ReportTable;
}

export interface ReportInput {
  readonly name: string;
  readonly record: EvaluationRecord;
  readonly result: EvaluationResult;
  readonly prompts: readonly LineOf<'prompt'>[];
  readonly refusals: readonly { readonly label: string; readonly count: number; readonly reason: string }[];
}

export function describeEvaluation(input: ReportInput): ReportSection[] {
  const { result } = input;
  return [
    { title: '', paragraphs: [describeWhat(input)] },
    ...(result.findings.length === 0 ? [] : [describeFindings(result)]),
    describeFigures(result),
    ...describeDifferences(result),
    ...describePrompts(input),
    describeHow(input),
  ];
}

function describeWhat({ record, result }: ReportInput): string {
  const source =
    record.rows.kind === 'run'
      ? `${record.rows.split === 'test' ? 'test' : 'held-out'} rows of a run`
      : record.rows.path;
  const sampled = record.maxRows !== null && record.maxRows === result.rows ? ', drawn by the seed' : '';
  return `${result.rows} rows (${source}${sampled}), ${result.candidates.length} candidate${result.candidates.length === 1 ? '' : 's'}, base model ${record.model.id}.`;
}

function describeFindings({ findings }: EvaluationResult): ReportSection {
  return { title: 'What it means', paragraphs: findings.map(({ message, reason }) => `${message} ${reason}`.trim()) };
}

function describeFigures({ candidates, metrics }: EvaluationResult): ReportSection {
  const head = [
    '',
    ...metrics.map(({ name }) => `${metricTable[name].label} ${metricTable[name].better === 'higher' ? '↑' : '↓'}`),
  ];
  const rows = candidates.map(({ id, label }) => [label, ...metrics.map(metric => describeValue(metric, id))]);
  const notes = metrics.flatMap(({ name, note }) => (note === null ? [] : [`${metricTable[name].label}: ${note}`]));
  return {
    title: 'Figures',
    paragraphs: ['Each figure with its 95 % interval. ↑ higher is better, ↓ lower is better.', ...notes],
    table: { head, rows },
  };
}

export function describeValue({ name, values }: MeasuredMetric, candidate: string): string {
  const value = values.find(known => known.candidate === candidate);
  if (value === undefined) return '–';
  const text = (figure: number) => formatMetric(name, figure);
  return `${text(value.value)} (${text(value.low)} to ${text(value.high)})`;
}

function describeDifferences({ candidates, metrics }: EvaluationResult): ReportSection[] {
  const labelOf = (id: string) => candidates.find(candidate => candidate.id === id)?.label ?? id;
  // Perplexity says again what the loss says.
  const rows = metrics
    .filter(({ name }) => name !== 'perplexity')
    .flatMap(({ name, differences }) =>
      differences.map(({ first, second, difference, low, high, adjustedP, wins, ties, losses }) => [
        metricTable[name].label,
        `${labelOf(first)} − ${labelOf(second)}`,
        `${formatMetricDifference(name, difference)} (${formatMetricDifference(name, low)} to ${formatMetricDifference(name, high)})`,
        describeSureness(name, difference, adjustedP),
        `${wins} / ${ties} / ${losses}`,
      ]),
    );
  if (rows.length === 0) return [];
  const head = ['Metric', 'Pair', 'Difference (95 % interval)', 'Sure?', 'Better / same / worse rows'];
  return [
    {
      title: 'Differences',
      paragraphs: [
        'Paired over the same rows. "Sure" means p below 0.05 after Holm\'s correction over all pairs of the metric.',
      ],
      table: { head, rows },
    },
  ];
}

export const surePValue = 0.05;

function describeSureness(name: MetricName, difference: number, adjustedP: number): string {
  const p = adjustedP < 0.001 ? 'p < 0.001' : `p = ${adjustedP.toFixed(3)}`;
  if (adjustedP >= surePValue) return `no (${p})`;
  const isBetter = difference > 0 === (metricTable[name].better === 'higher');
  return `${isBetter ? 'better' : 'worse'} (${p})`;
}

function describePrompts({ prompts, result }: ReportInput): ReportSection[] {
  return prompts.map(({ candidate, system, examples, scores }) => ({
    title: `Prompt of "${result.candidates.find(({ id }) => id === candidate)?.label ?? candidate}"`,
    paragraphs: [
      system === '' ? 'No system text.' : `System text: ${system}`,
      `${examples.length} examples, from lines ${examples.map(({ line }) => line).join(', ') || '(none)'} of the training rows. No judged row took part in the choice.`,
      ...(scores.length === 0
        ? []
        : [
            `Token F1 on training rows kept aside: ${scores.map(({ k, tokenF1 }) => `${tokenF1.toFixed(3)} with ${k}`).join(', ')}.`,
          ]),
    ],
  }));
}

function describeHow({ record, result, refusals }: ReportInput): ReportSection {
  const { decoding } = record;
  const drawn = decoding.temperature === 0 ? 'greedy' : `temperature ${decoding.temperature}, top-p ${decoding.topP}`;
  return {
    title: 'How it was measured',
    paragraphs: [
      `Answers: ${drawn}, at most ${decoding.maxTokens} tokens; the same questions to every candidate. Weights of GGUF files ${record.float32 ? 'in float32' : 'in their own blocks'} when answering, in float32 when losses are measured.`,
      `Intervals: percentile bootstrap over rows, ${result.resamples} resamples, seed ${result.seed}; the same resamples for all candidates, so that differences are paired.`,
      ...(result.glossaryTerms === null ? [] : [`Glossary: ${result.glossaryTerms} terms.`]),
      ...(result.labels === null ? [] : [`Labels: ${result.labels.join(', ')}.`]),
      ...(result.judge === null
        ? []
        : [
            `Judge: ${result.judge.name}, each pair in both orders; ${result.judge.contradictions} pairs contradicted themselves, ${result.judge.unclear} replies were unclear.`,
          ]),
      ...refusals.map(
        ({ label, count, reason }) => `${label} gave no answer to ${count} questions, which count as empty: ${reason}`,
      ),
      ...result.metrics.map(({ name }) => `${metricTable[name].label}: ${metricTable[name].help}`),
    ],
  };
}
