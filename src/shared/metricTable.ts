/** @file What each metric is called, which way is better, and how its figures are written. */
import type { MetricName } from './evaluation.ts';

export interface MetricInfo {
  readonly label: string;
  readonly better: 'higher' | 'lower';
  readonly digits: number;
  /** Shown as a percentage. */
  readonly isShare?: true;
  /** One sentence: what it says. */
  readonly help: string;
}

export const metricTable: Readonly<Record<MetricName, MetricInfo>> = {
  loss: {
    label: 'Loss (nats)',
    better: 'lower',
    digits: 4,
    help: 'Mean loss of the reference answers in nats per token, as training measures it; lower = the references are likelier.',
  },
  perplexity: {
    label: 'Perplexity',
    better: 'lower',
    digits: 2,
    help: 'Exponential of the loss: among how many equally likely tokens the model seems to choose; lower = better.',
  },
  exactMatch: {
    label: 'Exact match',
    better: 'higher',
    digits: 1,
    isShare: true,
    help: 'Share of answers with the words of the reference in its order, without case and punctuation; higher = better.',
  },
  tokenF1: {
    label: 'Token F1',
    better: 'higher',
    digits: 3,
    help: 'Overlap of words between answer and reference whatever their order, 0 to 1; higher = better.',
  },
  rougeL: {
    label: 'ROUGE-L',
    better: 'higher',
    digits: 3,
    help: 'F-measure of the longest common subsequence of words, 0 to 1; higher = better.',
  },
  bleu: {
    label: 'BLEU',
    better: 'higher',
    digits: 2,
    help: "Overlap of one to four words in a row over all answers together, 0 to 100, as sacrebleu's defaults; higher = better.",
  },
  chrF: {
    label: 'chrF',
    better: 'higher',
    digits: 2,
    help: "F-score of one to six characters in a row over all answers together, 0 to 100, as sacrebleu's chrF2; higher = better.",
  },
  termAccuracy: {
    label: 'Term accuracy',
    better: 'higher',
    digits: 1,
    isShare: true,
    help: 'Share of the glossary terms of the references, beyond those of their questions, that the answers use; higher = better.',
  },
  relevance: {
    label: 'Answer relevance',
    better: 'higher',
    digits: 3,
    help: "Cosine of question and answer as the base model's vectors, -1 to 1; higher = the answer is about the question.",
  },
  accuracy: {
    label: 'Accuracy',
    better: 'higher',
    digits: 1,
    isShare: true,
    help: 'Share of answers that give the right label; higher = better.',
  },
  macroF1: {
    label: 'Macro F1',
    better: 'higher',
    digits: 3,
    help: 'F1 of each label, averaged with the same weight for rare and frequent labels, 0 to 1; higher = better.',
  },
  judge: {
    label: 'Preferred by the judge',
    better: 'higher',
    digits: 1,
    isShare: true,
    help: 'Share of questions on which the judge prefers the answer to its opponent, ties counted half; above 50 % = preferred.',
  },
  secondsPerAnswer: {
    label: 'Seconds per answer',
    better: 'lower',
    digits: 2,
    help: 'Mean seconds from question to last token, one answer at a time; lower = faster.',
  },
  tokensPerSecond: {
    label: 'Tokens per second',
    better: 'higher',
    digits: 1,
    help: 'Answer tokens a second, one answer at a time, the reading of the question included; higher = faster.',
  },
};

/** As tables show it. */
export function formatMetric(name: MetricName, value: number): string {
  const { digits, isShare } = metricTable[name];
  return isShare ? `${(100 * value).toFixed(digits)} %` : value.toFixed(digits);
}

/** With its sign; of a share in percentage points. */
export function formatMetricDifference(name: MetricName, value: number): string {
  const { digits, isShare } = metricTable[name];
  const text = (isShare ? 100 * value : value).toFixed(digits);
  return `${value < 0 ? '' : '+'}${text}${isShare ? ' points' : ''}`;
}
