/** @file Tokens as the trainer takes them: the border between text and training. */

/** One example after template and tokenizer. */
export interface EncodedRow {
  /** Index of the example in its split. */
  readonly row: number;
  readonly tokenIds: Int32Array;
  /** 1 where the token is to be predicted (a label), 0 elsewhere; same length as `tokenIds`. The first token is never supervised. */
  readonly supervised: Uint8Array;
}

/** B rows of T tokens into which examples were packed, boundaries respected. */
export interface PackedBatch {
  readonly batchRows: number;
  readonly contextTokens: number;
  /** [B * T]; padding holds the pad token. */
  readonly tokenIds: Int32Array;
  /** [B * T], restarting at 0 in each segment. */
  readonly positions: Int32Array;
  /** [B * T], the number of the example within its row from 0; padding is -1. A token attends only within its segment. */
  readonly segments: Int32Array;
  /** [N] flat positions (b * T + t) whose next token is supervised. */
  readonly targetPositions: Int32Array;
  /** [N] the token to predict at each of them. */
  readonly labels: Int32Array;
  /** [N] weight of each label, 1 unless the data says otherwise. */
  readonly labelWeights: Float32Array;
  /** Tokens that are not padding. */
  readonly tokens: number;
  /** The rows that were packed, in the order of their labels. */
  readonly rows?: readonly EncodedRow[];
  /** For preference tuning. */
  readonly preference?: PreferenceLabels;
  /** For distillation. */
  readonly teacher?: TeacherTokens;
}

/** What a teacher thinks of N labels: its K likeliest tokens, the likeliest first. */
export interface TeacherTokens {
  readonly topK: number;
  /** [N, K] */
  readonly ids: Int32Array;
  /** [N, K], logarithms, at the temperature of the distillation */
  readonly logProbabilities: Float32Array;
}

/** What a batch of Q pairs says of its labels. */
export interface PreferenceLabels {
  /** [N] the pair of each label, counted from 0. */
  readonly pairOfLabel: Int32Array;
  /** [N] 1 where the label belongs to the chosen answer, -1 in the rejected one. */
  readonly signs: Float32Array;
  /** [Q, 2] log-probability of chosen and rejected answer under the reference; zero until they are known. */
  readonly reference: Float64Array;
}

/** The tokens of a row that are to be predicted; the first one never is. */
export function countLabels({ supervised }: EncodedRow): number {
  let count = 0;
  for (let i = 1; i < supervised.length; i++) count += supervised[i]!;
  return count;
}

/** What a batch counts beside others: its pairs, or its supervised tokens by their weights. */
export function weighBatch({ preference, labelWeights }: PackedBatch): number {
  if (preference) return preference.reference.length / 2;
  let sum = 0;
  for (let i = 0; i < labelWeights.length; i++) sum += labelWeights[i]!;
  return sum;
}
