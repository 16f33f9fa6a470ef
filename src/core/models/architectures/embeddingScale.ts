/** @file Gemma multiplies embedded tokens by sqrt(C): in graphs, and for engines that embed by themselves. */
import type { Value } from '../../graph/graph.ts';
import { multiply } from '../../graph/operations/elementwise.ts';
import type { ModelConfig } from '../architecture.ts';

/** embedded [M, C] -> what the first layer reads, [M, C] */
export function scaleEmbedding(embedded: Value, { embeddingScale }: ModelConfig): Value {
  return multiply(embedded, embedded.graph.scalar(embeddingScale));
}

/** The same for rows in memory, in place. */
export function scaleRows(rows: Float32Array, { embeddingScale }: ModelConfig): void {
  if (embeddingScale === 1) return;
  const scale = Math.fround(embeddingScale);
  for (const [i, value] of rows.entries()) rows[i] = value * scale;
}
