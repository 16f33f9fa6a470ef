/** @file What src/tools/bench/bench.mjs hands to every case: the same model, batch and settings for each engine. */
import { readFileSync } from 'node:fs';
import type { PackedBatch } from '../../src/core/text/packedBatch.ts';

export interface BenchPlan {
  /** A GGUF file. */
  readonly model: string;
  readonly threads: number;
  /** Steps that are run first and not counted. */
  readonly warmupSteps: number;
  readonly timedSteps: number;
  readonly batchRows: number;
  readonly contextTokens: number;
  /** [B * T] */
  readonly tokenIds: readonly number[];
  /** In each row the tokens from here on are labels. */
  readonly supervisedFrom: number;
  readonly lora: { readonly rank: number; readonly alpha: number; readonly targetModules: readonly string[] };
  readonly optimizer: {
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly clipNorm: number;
  };
  readonly prompt: string;
  readonly outputTokens: number;
}

export function readPlan(file: string | undefined): BenchPlan {
  if (file === undefined) throw new Error('expected the file of a plan as the last argument, got none');
  return JSON.parse(readFileSync(file, 'utf8')) as BenchPlan;
}

/** Rows of one segment each, full to the last token. */
export function toPackedBatch(plan: BenchPlan): PackedBatch {
  const { batchRows, contextTokens, supervisedFrom } = plan;
  const tokenIds = Int32Array.from(plan.tokenIds);
  const targets: number[] = [];
  for (let row = 0; row < batchRows; row++) {
    for (let t = supervisedFrom; t < contextTokens; t++) targets.push(row * contextTokens + t - 1);
  }
  const targetPositions = Int32Array.from(targets);
  return {
    batchRows,
    contextTokens,
    tokenIds,
    positions: tokenIds.map((_, index) => index % contextTokens),
    segments: new Int32Array(tokenIds.length),
    targetPositions,
    labels: targetPositions.map(position => tokenIds[position + 1]!),
    labelWeights: new Float32Array(targets.length).fill(1),
    tokens: tokenIds.length,
  };
}
