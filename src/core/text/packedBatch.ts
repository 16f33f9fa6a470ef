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
}
