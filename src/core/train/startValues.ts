/** @file What an engine starts from when it does not start afresh. */

/** A low-rank addition to a weight, its scale multiplied into B. */
export interface FrozenPair {
  /** `model.layers.0.self_attn.q_proj` */
  readonly module: string;
  readonly rank: number;
  /** [R, in] */
  readonly a: Float32Array;
  /** [out, R] */
  readonly b: Float32Array;
}

export interface StartValues {
  /** Of trained tensors, by their names; a tensor that is not named starts afresh. */
  readonly values: ReadonlyMap<string, Float32Array>;
  /** Added to the frozen weights, and never trained: one a module at most. */
  readonly stacked: readonly FrozenPair[];
}
