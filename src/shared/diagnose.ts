/** @file Curves of a run and figures of an evaluation -> what they mean, in words, each with its reason: over-fitting, divergence, no gain, forgetting. */
import type { MetricName } from './evaluation.ts';
import type { EvaluationResult } from './evaluationFiles.ts';
import { metricTable } from './metricTable.ts';
import type { ForgettingTable } from './pipeline.ts';
import type { RunSeries } from './runState.ts';

export type Finding = EvaluationResult['findings'][number];

/** A held-out loss that is so much above its best has risen, and is not only shaken. */
const risenShare = 0.02;
const fewestSteps = 10;
/** Corrected over all pairs and all measures: of ten measures one would often differ by chance. */
const sureP = 0.05;
/** A held-out set whose loss has risen by so much was forgotten in part. */
const forgottenNats = 0.05;

/** What the losses of training say; nothing while there is too little of them. */
export function diagnoseCurves({ steps, evaluations }: Pick<RunSeries, 'steps' | 'evaluations'>): Finding[] {
  const diverged = findDivergence(steps.map(({ lossNats }) => lossNats));
  if (diverged !== undefined) return [diverged];
  const [base] = evaluations;
  const tuned = evaluations.filter(({ step }) => step > 0);
  const last = tuned.at(-1);
  // One evaluation may still be in the warmup.
  if (base === undefined || base.step !== 0 || last === undefined || tuned.length < 2) return [];
  const best = tuned.reduce((least, row) => (row.evalLossNats < least.evalLossNats ? row : least));
  if (best.evalLossNats >= base.evalLossNats) {
    return [
      {
        code: 'no-gain',
        tone: 'bad',
        message: 'Training made nothing better: the base model answers the held-out rows better than every checkpoint.',
        reason: `Held-out loss ${format(base.evalLossNats)} before training, ${format(best.evalLossNats)} at best (step ${best.step}). Lower learningRate, or train on more rows.`,
      },
    ];
  }
  const risen = last.evalLossNats > best.evalLossNats * (1 + risenShare);
  const before = averageAround(steps, best.step);
  const after = averageAround(steps, last.step);
  if (!risen || before === undefined || after === undefined || after >= before) return [];
  return [
    {
      code: 'over-fitting',
      tone: 'bad',
      message: `Over-fitting since step ${best.step}: the model learns the training rows by heart. The checkpoint of step ${best.step} is kept.`,
      reason: `From there to step ${last.step} the training loss fell from ${format(before)} to ${format(after)} while the held-out loss rose from ${format(best.evalLossNats)} to ${format(last.evalLossNats)}. Fewer epochs, a smaller rank, dropout, or more rows help.`,
    },
  ];
}

/** The last losses stand far above the lowest ones, and above the first. */
function findDivergence(losses: readonly number[]): Finding | undefined {
  if (losses.length < fewestSteps) return undefined;
  const width = Math.max(3, Math.floor(losses.length / 10));
  const [first, end] = [mean(losses.slice(0, width)), mean(losses.slice(-width))];
  const lowest = lowestMean(losses, width);
  if (Number.isFinite(end) && (end <= 1.5 * lowest || end <= first)) return undefined;
  return {
    code: 'divergence',
    tone: 'bad',
    message: 'The training loss diverged: what is learned is lost again.',
    reason: `It began at ${format(first)}, came down to ${format(lowest)} and ended at ${format(end)} nats. Lower learningRate, or raise warmupRatio.`,
  };
}

/** Of as many losses in a row. */
function lowestMean(losses: readonly number[], width: number): number {
  let [sum, lowest] = [0, Number.POSITIVE_INFINITY];
  for (const [i, loss] of losses.entries()) {
    sum += loss - (i < width ? 0 : losses[i - width]!);
    if (i >= width - 1) lowest = Math.min(lowest, sum / width);
  }
  return lowest;
}

function averageAround(steps: RunSeries['steps'], step: number): number | undefined {
  const near = steps.filter(row => row.step <= step).slice(-Math.max(3, Math.floor(steps.length / 20)));
  return near.length === 0 ? undefined : mean(near.map(({ lossNats }) => lossNats));
}

/** Speed, and how likely the references are: neither is an answer. */
const uncounted: readonly MetricName[] = ['secondsPerAnswer', 'tokensPerSecond', 'loss', 'perplexity'];

/** Whether tuned candidates are worth it beside the best prompt, or else beside the first candidate. */
export function diagnoseEvaluation({
  candidates,
  metrics,
}: Pick<EvaluationResult, 'candidates' | 'metrics'>): Finding[] {
  const opponent = candidates.find(({ kind }) => kind === 'prompted') ?? candidates[0];
  if (opponent === undefined) return [];
  return candidates.flatMap(({ id, kind, label }): Finding[] => {
    if (kind !== 'adapter' || id === opponent.id) return [];
    const measures = metrics.flatMap(({ name, differences }) => {
      const found = differences.find(({ first, second }) => first === id && second === opponent.id);
      return found === undefined || uncounted.includes(name) ? [] : [{ name, ...found }];
    });
    if (measures.length === 0) return [];
    const verdicts = measures.map(({ name, difference, adjustedP }) => {
      const isSure = adjustedP * measures.length < sureP;
      const isBetter = difference > 0 === (metricTable[name].better === 'higher');
      return { name, verdict: !isSure ? 'unsure' : isBetter ? 'better' : 'worse' };
    });
    const named = (verdict: string) =>
      verdicts.filter(each => each.verdict === verdict).map(each => metricTable[each.name].label);
    const [better, worse] = [named('better'), named('worse')];
    const counted = `Of ${verdicts.length} measures: better on ${list(better)}, worse on ${list(worse)}, not sure on the others (95 %, corrected over pairs and measures).`;
    if (better.length > 0 && worse.length === 0) {
      return [
        { code: 'better', tone: 'good', message: `${label} answers better than "${opponent.label}".`, reason: counted },
      ];
    }
    if (worse.length > 0 && better.length === 0) {
      const message = `${label} answers worse than "${opponent.label}": it is not worth it as it is.`;
      return [{ code: 'worse', tone: 'bad', message, reason: counted }];
    }
    const message =
      better.length === 0
        ? `No sure difference between ${label} and "${opponent.label}": judge more rows, or prompt.`
        : `${label} is better than "${opponent.label}" on some measures and worse on others.`;
    return [{ code: 'mixed', tone: 'neutral', message, reason: counted }];
  });
}

/** Held-out sets of a pipeline whose loss rose after later stages. */
export function diagnoseForgetting({ sets, rows }: ForgettingTable): Finding[] {
  const last = rows.at(-1);
  return sets.flatMap((set, i): Finding[] => {
    const cell = last?.cells[i];
    if (last === undefined || cell?.changeNats == null || cell.changeNats < forgottenNats) return [];
    const message = `The rows of stage "${set}" are forgotten in part after stage "${last.stage}".`;
    const reason = `Their held-out loss rose by ${format(cell.changeNats)} to ${format(cell.lossNats)} nats since their own stage. Mix some of its rows into later stages, or lower their learningRate.`;
    return [{ code: 'forgetting', tone: 'bad', message, reason }];
  });
}

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const format = (nats: number): string => nats.toFixed(4);
