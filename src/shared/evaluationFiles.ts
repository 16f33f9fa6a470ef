/** @file `evaluation/` of an evaluation's folder: what was answered, row by row, and what came of it. */
import { z } from 'zod';
import { metricNames } from './evaluation.ts';

/** Names under `.tuning-fork/runs/<id>/`. */
export const evaluationNames = {
  folder: 'evaluation',
  answers: 'answers.jsonl',
  metrics: 'metrics.json',
  markdown: 'report.md',
  html: 'report.html',
} as const;

const answered = { row: z.number().int().min(0), candidate: z.string() };
/** A line of answers.jsonl, appended as soon as it is known; a row's index is its place among the judged rows. */
export const evaluationLineSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('row'),
    row: z.number().int().min(0),
    file: z.string(),
    line: z.number().int(),
    /** Null for running text, which asks nothing. */
    question: z.string().nullable(),
    reference: z.string(),
  }),
  z.strictObject({
    kind: z.literal('answer'),
    ...answered,
    text: z.string(),
    /** `refused`: an endpoint gave none, for `reason`. */
    end: z.enum(['end', 'length', 'refused']),
    reason: z.string().optional(),
    outputTokens: z.number().int().optional(),
  }),
  /** Of the reference, given the question. */
  z.strictObject({ kind: z.literal('loss'), ...answered, lossNats: z.number(), tokens: z.number().int() }),
  /** One answer alone, from the question to its last token. */
  z.strictObject({
    kind: z.literal('timing'),
    ...answered,
    seconds: z.number(),
    outputTokens: z.number().int().nullable(),
  }),
  /** The cosine of question and answer, as vectors of the base model. */
  z.strictObject({ kind: z.literal('relevance'), ...answered, cosine: z.number() }),
  /** `candidate` against `opponent` as the judge says, asked in both orders. */
  z.strictObject({
    kind: z.literal('verdict'),
    ...answered,
    opponent: z.string(),
    order: z.enum(['first', 'second']),
    verdict: z.enum(['candidate', 'opponent', 'tie', 'unclear']),
  }),
  z.strictObject({
    kind: z.literal('prompt'),
    candidate: z.string(),
    system: z.string(),
    examples: z.array(z.strictObject({ question: z.string(), answer: z.string(), line: z.number().int() })),
    /** Mean token F1 on training rows kept aside, by number of examples; empty where the prompt was given. */
    scores: z.array(z.strictObject({ k: z.number().int(), tokenF1: z.number() })),
  }),
]);
export type EvaluationLine = z.infer<typeof evaluationLineSchema>;
export type LineOf<Kind extends EvaluationLine['kind']> = Extract<EvaluationLine, { kind: Kind }>;

const interval = { low: z.number(), high: z.number() };

/** A candidate's figure with its 95 % interval. */
export const measuredValueSchema = z.strictObject({
  candidate: z.string(),
  value: z.number(),
  ...interval,
  /** Rows that it is over. */
  rows: z.number().int(),
});
export type MeasuredValue = z.infer<typeof measuredValueSchema>;

/** Two candidates on the same rows; positive means that `first` has the higher figure. */
export const measuredDifferenceSchema = z.strictObject({
  first: z.string(),
  second: z.string(),
  difference: z.number(),
  ...interval,
  /** Of the paired bootstrap, and after Holm's correction over all comparisons of this metric. */
  p: z.number(),
  adjustedP: z.number(),
  /** Rows on which `first` is better, as good, worse, whichever way is better. */
  wins: z.number().int(),
  ties: z.number().int(),
  losses: z.number().int(),
});
export type MeasuredDifference = z.infer<typeof measuredDifferenceSchema>;

export const measuredMetricSchema = z.strictObject({
  name: z.enum(metricNames),
  values: z.array(measuredValueSchema),
  differences: z.array(measuredDifferenceSchema),
  /** What a reader has to know of these figures. */
  note: z.string().nullable(),
});
export type MeasuredMetric = z.infer<typeof measuredMetricSchema>;

export const findingSchema = z.strictObject({
  code: z.string(),
  tone: z.enum(['good', 'neutral', 'bad']),
  message: z.string(),
  reason: z.string(),
});

export const evaluationResultSchema = z.strictObject({
  version: z.literal(1),
  rows: z.number().int(),
  questions: z.number().int(),
  resamples: z.number().int(),
  seed: z.number().int(),
  candidates: z.array(
    z.strictObject({ id: z.string(), kind: z.string(), label: z.string(), detail: z.string().nullable() }),
  ),
  metrics: z.array(measuredMetricSchema),
  findings: z.array(findingSchema),
  glossaryTerms: z.number().int().nullable(),
  labels: z.array(z.string()).nullable(),
  judge: z
    .strictObject({
      name: z.string(),
      opponent: z.string(),
      /** Questions on which the two orders contradicted each other, which counts as a tie. */
      contradictions: z.number().int(),
      unclear: z.number().int(),
    })
    .nullable(),
});
export type EvaluationResult = z.infer<typeof evaluationResultSchema>;
