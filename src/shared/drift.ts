/** @file How the rows that a dataset got since a run differ from those that the run was trained on. */

/** A measure of difference between old and new rows, and how likely as much of it is by chance. */
export interface DriftMeasure {
  /** length: Kolmogorov-Smirnov; vocabulary and topics: Jensen-Shannon divergence in bits; each 0 (none) to 1. */
  statistic: number;
  /** What chance alone gives on average. */
  expected: number;
  /** By permutation of old and new rows. */
  pValue: number;
  /** Whether it is told as a shift: all measures together are wrong in at most 1 of 100 datasets without one (Holm). */
  isShifted: boolean;
}

export interface DriftReport {
  dataset: string;
  run: string;
  rows: { old: number; new: number; sampledOld: number; sampledNew: number };
  /** In characters of question and answer. */
  length: DriftMeasure & { oldMedian: number; newMedian: number };
  vocabulary: DriftMeasure & { moreOften: string[]; lessOften: string[] };
  /** Null without a model that embeds. */
  topics: (DriftMeasure & { list: { words: string[]; oldShare: number; newShare: number }[] }) | null;
  /** Of the run's adapter, in nats a token; null where it was not measured. */
  loss: {
    heldOutNats: number;
    newNats: number;
    heldOutRows: number;
    newRows: number;
    differenceNats: number;
    /** Bounds of the interval that holds the difference with 95 % confidence (bootstrap over rows). */
    low: number;
    high: number;
  } | null;
  /** A measure is shifted, or the loss is higher with confidence. */
  hasDrifted: boolean;
}
