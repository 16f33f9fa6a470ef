/** @file What the graph inputs of dropout are called. */
export const dropoutInputNames = {
  /** [M, width]: factors 0 or 1 / (1 - p). */
  masks: (width: number): string => `dropout_masks_${width}`,
  /** [M] int32: for each token, the row of the masks that its input of this module takes. */
  rows: (module: string): string => `${module}.dropout_rows`,
} as const;
