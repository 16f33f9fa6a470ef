/** @file What candidates answered, row by row -> every metric with intervals, differences, wins and losses. */
import type { Candidate, MetricName } from '../../shared/evaluation.ts';
import type { EvaluationLine, EvaluationResult, LineOf, MeasuredMetric } from '../../shared/evaluationFiles.ts';
import { metricTable } from '../../shared/metricTable.ts';
import { splitWords, tokenF1 } from '../../shared/tokenF1.ts';
import { exactMatch } from '../infer/exactMatch.ts';
import { bleuFigure, countBleu } from './bleu.ts';
import { chrFFigure, countChrF } from './chrF.ts';
import { adjustByHolm } from './holm.ts';
import { countLabels, findLabels, macroF1Figure, readLabel } from './labelTask.ts';
import { type MetricInput, measureCandidates, resamples } from './measureCandidates.ts';
import { combineVerdicts } from './pairwiseJudge.ts';
import { rougeL } from './rougeL.ts';
import { expRatioFigure, type Figure, meanFigure, ratioFigure, toRowSums } from './rowSums.ts';
import type { Glossary } from './termAccuracy.ts';

export interface EvaluationFindings {
  readonly candidates: readonly Candidate[];
  readonly metrics: readonly MetricName[];
  readonly seed: number;
  readonly lines: readonly EvaluationLine[];
  readonly glossary: Glossary | null;
  /** Null: found from the references. */
  readonly labels: readonly string[] | null;
  readonly judge: { readonly name: string; readonly opponent: string } | null;
}

interface Row {
  readonly question: string | null;
  readonly reference: string;
}

type Counts = readonly (readonly number[] | undefined)[];

export function summarizeEvaluation(found: EvaluationFindings): EvaluationResult {
  const { candidates, seed, lines } = found;
  const rows = listOf(lines, 'row')
    .sort((a, b) => a.row - b.row)
    .map(({ question, reference }) => ({ question, reference }));
  const labels = found.labels ?? findLabels(rows.map(({ reference }) => reference)) ?? null;
  const wanted = found.metrics.filter(name => labels !== null || (name !== 'accuracy' && name !== 'macroF1'));
  const metrics = wanted
    .map(name => measureMetric(name, rows, labels, found))
    .filter(({ values }) => values.length > 0);
  return {
    version: 1,
    rows: rows.length,
    questions: rows.filter(({ question }) => question !== null).length,
    resamples,
    seed,
    candidates: candidates.map(candidate => {
      return { id: candidate.id, kind: candidate.kind, label: candidate.label, detail: describe(candidate, lines) };
    }),
    metrics,
    findings: [],
    glossaryTerms: found.glossary?.size ?? null,
    labels: labels === null || !wanted.includes('accuracy') ? null : [...labels],
    judge: found.judge === null ? null : { ...found.judge, ...countDoubts(found.judge.opponent, lines) },
  };
}

function measureMetric(
  name: MetricName,
  rows: readonly Row[],
  labels: readonly string[] | null,
  found: EvaluationFindings,
): MeasuredMetric {
  if (name === 'judge') return measureVerdicts(found, rows.length);
  const { better } = metricTable[name];
  const figure = figureOf(name, labels?.length ?? 0);
  const sums = new Map(
    found.candidates.map(({ id }) => [id, toRowSums(countRows(name, id, rows, labels, found), figure)]),
  );
  const outcome = measureCandidates({ figure, better, sums, seed: found.seed });
  return { name, ...outcome, note: noteOn(name, rows.length, outcome.values[0]?.rows ?? 0, found) };
}

function figureOf(name: MetricName, labels: number): Figure {
  switch (name) {
    case 'loss':
    case 'secondsPerAnswer':
      return name === 'loss' ? ratioFigure : meanFigure;
    case 'termAccuracy':
    case 'tokensPerSecond':
      return ratioFigure;
    case 'perplexity':
      return expRatioFigure;
    case 'bleu':
      return bleuFigure;
    case 'chrF':
      return chrFFigure;
    case 'macroF1':
      return macroF1Figure(labels);
    default:
      return meanFigure;
  }
}

/** The numbers of each row; undefined where the metric does not apply to it. */
function countRows(
  name: MetricName,
  candidate: string,
  rows: readonly Row[],
  labels: readonly string[] | null,
  { lines, glossary }: EvaluationFindings,
): Counts {
  const byRow = <K extends 'answer' | 'loss' | 'timing' | 'relevance'>(kind: K): Map<number, LineOf<K>> => {
    const own = lines.filter(line => line.kind === kind && line.candidate === candidate);
    return new Map(own.map(line => [(line as { row: number }).row, line as LineOf<K>]));
  };
  const ofAnswers = (count: (answer: string, row: Row) => readonly number[] | undefined): Counts => {
    const answers = byRow('answer');
    return rows.map((row, i) => (answers.has(i) ? count(answers.get(i)!.text, row) : undefined));
  };
  switch (name) {
    case 'loss':
    case 'perplexity': {
      const losses = byRow('loss');
      return rows.map((_, i) => {
        const { lossNats = 0, tokens = 0 } = losses.get(i) ?? {};
        return tokens > 0 ? [lossNats, tokens] : undefined;
      });
    }
    case 'secondsPerAnswer':
    case 'tokensPerSecond': {
      const timings = byRow('timing');
      return rows.map((_, i) => {
        const timing = timings.get(i);
        if (timing === undefined) return undefined;
        if (name === 'secondsPerAnswer') return [timing.seconds];
        return timing.outputTokens === null ? undefined : [timing.outputTokens, timing.seconds];
      });
    }
    case 'relevance': {
      const cosines = byRow('relevance');
      return rows.map((_, i) => (cosines.has(i) ? [cosines.get(i)!.cosine] : undefined));
    }
    case 'exactMatch':
      return ofAnswers((answer, { reference }) => [exactMatch(answer, reference)]);
    case 'tokenF1':
      return ofAnswers((answer, { reference }) => [tokenF1(answer, reference)]);
    case 'rougeL':
      return ofAnswers((answer, { reference }) => [rougeL(answer, reference)]);
    case 'bleu':
      return ofAnswers((answer, { reference }) => countBleu(answer, reference));
    case 'chrF':
      return ofAnswers((answer, { reference }) => countChrF(answer, reference));
    case 'termAccuracy':
      return ofAnswers((answer, { reference, question }) => glossary?.score(answer, reference, question ?? ''));
    case 'accuracy':
    case 'macroF1':
      return ofAnswers((answer, { reference }) => {
        const [given, right] = [readLabel(answer, labels ?? []), readLabel(reference, labels ?? [])];
        if (right < 0) return undefined;
        return name === 'accuracy' ? [Number(given === right)] : countLabels(given, right, labels!.length);
      });
    case 'judge':
      throw new Error('internal: evaluation: verdicts are counted apart');
  }
}

/** Each candidate against the opponent, whose share is what is left of all. */
function measureVerdicts({ candidates, lines, judge, seed }: EvaluationFindings, rows: number): MeasuredMetric {
  const opponent = judge?.opponent ?? '';
  const measured = candidates.flatMap(({ id }) => {
    if (id === opponent) return [];
    const scores = scoreVerdicts(lines, id, opponent, rows);
    const sums: MetricInput['sums'] = new Map([
      [
        opponent,
        toRowSums(
          scores.map(score => (score === undefined ? undefined : [1 - score])),
          meanFigure,
        ),
      ],
      [
        id,
        toRowSums(
          scores.map(score => (score === undefined ? undefined : [score])),
          meanFigure,
        ),
      ],
    ]);
    const { values, differences } = measureCandidates({ figure: meanFigure, better: 'higher', sums, seed });
    const [value, difference] = [values.find(({ candidate }) => candidate === id), differences[0]];
    return value === undefined || difference === undefined ? [] : [{ value, difference }];
  });
  const adjusted = adjustByHolm(measured.map(({ difference }) => difference.p));
  return {
    name: 'judge',
    values: measured.map(({ value }) => value),
    differences: measured.map(({ difference }, i) => ({ ...difference, adjustedP: adjusted[i]! })),
    note: 'Each pair was asked in both orders; a preference that turned with the order counts as a tie.',
  };
}

function scoreVerdicts(
  lines: readonly EvaluationLine[],
  candidate: string,
  opponent: string,
  rows: number,
): (number | undefined)[] {
  const own = listOf(lines, 'verdict').filter(line => line.candidate === candidate && line.opponent === opponent);
  const of = (order: 'first' | 'second') => new Map(own.flatMap(l => (l.order === order ? [[l.row, l.verdict]] : [])));
  const [first, second] = [of('first'), of('second')];
  return Array.from({ length: rows }, (_, row) => {
    const [a, b] = [first.get(row), second.get(row)];
    return a === undefined || b === undefined ? undefined : combineVerdicts(a, b)?.score;
  });
}

function countDoubts(opponent: string, lines: readonly EvaluationLine[]): { contradictions: number; unclear: number } {
  const verdicts = listOf(lines, 'verdict').filter(line => line.opponent === opponent);
  const seconds = new Map(
    verdicts.flatMap(l => (l.order === 'second' ? [[`${l.candidate} ${l.row}`, l.verdict]] : [])),
  );
  let contradictions = 0;
  for (const { order, candidate, row, verdict } of verdicts) {
    const other = seconds.get(`${candidate} ${row}`);
    if (order === 'first' && other !== undefined && combineVerdicts(verdict, other)?.isContradiction) contradictions++;
  }
  return { contradictions, unclear: verdicts.filter(({ verdict }) => verdict === 'unclear').length };
}

function noteOn(
  name: MetricName,
  rows: number,
  used: number,
  { lines, candidates }: EvaluationFindings,
): string | null {
  if (name === 'termAccuracy')
    return `${used} of ${rows} references hold a glossary term that their question does not.`;
  if (name === 'secondsPerAnswer' || name === 'tokensPerSecond') {
    const isCrowded = candidates.some(each => each.kind === 'endpoint' && each.endpoint.parallelRequests > 1);
    const endpoints = name === 'secondsPerAnswer' && isCrowded ? '; endpoints as answered, several under way' : '';
    return `Over ${used} answers, one at a time${endpoints}.`;
  }
  if (name === 'loss' || name === 'perplexity') {
    const tokens = new Map<number, number>();
    let isSameText = true;
    for (const line of listOf(lines, 'loss')) {
      if (line.tokens === 0) continue;
      if ((tokens.get(line.row) ?? line.tokens) !== line.tokens) isSameText = false;
      tokens.set(line.row, line.tokens);
    }
    if (!isSameText)
      return 'The candidates divide the references into different tokens: their losses cannot be compared.';
  }
  return used < rows ? `Over the ${used} of ${rows} rows that all candidates have.` : null;
}

function describe(candidate: Candidate, lines: readonly EvaluationLine[]): string | null {
  if (candidate.kind === 'endpoint') return candidate.endpoint.baseUrl;
  if (candidate.kind === 'adapter') return candidate.paths.join(' + ');
  if (candidate.kind === 'model') return candidate.model;
  if (candidate.kind === 'base') return null;
  const prompt = listOf(lines, 'prompt').find(line => line.candidate === candidate.id);
  if (prompt === undefined) return null;
  const words = splitWords(prompt.system).length;
  const examples = `${prompt.examples.length} example${prompt.examples.length === 1 ? '' : 's'}`;
  return `${examples}, ${words === 0 ? 'no system text' : `a system text of ${words} words`}`;
}

function listOf<K extends EvaluationLine['kind']>(lines: readonly EvaluationLine[], kind: K): LineOf<K>[] {
  return lines.filter((line): line is LineOf<K> => line.kind === kind);
}
