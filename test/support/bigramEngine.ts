/**
 * A real model small enough to differentiate by hand: the next token's logits are a row of a table, looked up by the
 * present token. Implements the border that the training loop sees, with exact gradients.
 */
import type { PackedBatch } from '../../src/core/text/packedBatch.ts';
import type { BatchLoss, TrainingEngine } from '../../src/core/train/trainingEngine.ts';

export interface BigramEngine extends TrainingEngine {
  /** Batches seen by `accumulate` and `evaluate`. */
  readonly calls: { accumulate: number; evaluate: number };
}

export function createBigramEngine(vocabulary: number): BigramEngine {
  const shape = [vocabulary, vocabulary];
  const table = {
    name: 'table',
    shape,
    value: new Float32Array(vocabulary * vocabulary),
    gradient: new Float32Array(vocabulary * vocabulary),
    decays: true,
  };
  const bias = {
    name: 'bias',
    shape: [vocabulary],
    value: new Float32Array(vocabulary),
    gradient: new Float32Array(vocabulary),
    decays: false,
  };
  const calls = { accumulate: 0, evaluate: 0 };

  function run(batch: PackedBatch, tokenWeight: number | undefined): BatchLoss {
    let lossNatsSum = 0;
    let weightSum = 0;
    for (let n = 0; n < batch.labels.length; n++) {
      const token = batch.tokenIds[batch.targetPositions[n]!]!;
      const label = batch.labels[n]!;
      const weight = batch.labelWeights[n]!;
      const logits = Array.from(bias.value, (b, v) => b + table.value[token * vocabulary + v]!);
      const largest = Math.max(...logits);
      const exponents = logits.map(z => Math.exp(z - largest));
      const total = exponents.reduce((sum, e) => sum + e, 0);
      lossNatsSum -= weight * Math.log(exponents[label]! / total);
      weightSum += weight;
      if (tokenWeight === undefined) continue;
      for (let v = 0; v < vocabulary; v++) {
        const g = tokenWeight * weight * (exponents[v]! / total - (v === label ? 1 : 0));
        table.gradient[token * vocabulary + v]! += g;
        bias.gradient[v]! += g;
      }
    }
    return { lossNatsSum, weightSum };
  }

  return {
    parameters: [table, bias],
    calls,
    zeroGradients() {
      table.gradient.fill(0);
      bias.gradient.fill(0);
    },
    async accumulate(batch, tokenWeight) {
      calls.accumulate++;
      return run(batch, tokenWeight);
    },
    async evaluate(batch) {
      calls.evaluate++;
      return run(batch, undefined);
    },
    dispose: async () => undefined,
  };
}

/** One row a batch; every token but the first is a label. */
export function batchOf(tokens: readonly number[]): PackedBatch {
  const labels = tokens.slice(1);
  return {
    batchRows: 1,
    contextTokens: tokens.length,
    tokenIds: Int32Array.from(tokens),
    positions: Int32Array.from(tokens.keys()),
    segments: new Int32Array(tokens.length),
    targetPositions: Int32Array.from(labels.keys()),
    labels: Int32Array.from(labels),
    labelWeights: new Float32Array(labels.length).fill(1),
    tokens: tokens.length,
  };
}

/** Numbers in [0, 1) that are the same every time (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
