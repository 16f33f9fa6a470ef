/** @file Logits -> the logarithm of a token's probability, and those of the likeliest tokens. */
import { findLargest } from './findLargest.ts';

export interface TokenScore {
  readonly tokenId: number;
  readonly logProbability: number;
}

export interface ScoredToken extends TokenScore {
  /** Likeliest first; of equals the smaller id. */
  readonly likeliest: readonly TokenScore[];
}

export function scoreToken(logits: Float32Array, tokenId: number, likeliest: number): ScoredToken {
  const largest = logits[findLargest(logits)]!;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  const norm = largest + Math.log(sum);
  const score = (id: number): TokenScore => ({ tokenId: id, logProbability: logits[id]! - norm });
  return { ...score(tokenId), likeliest: findLikeliest(logits, likeliest).map(score) };
}

function findLikeliest(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  if (count === 0) return best;
  for (const [id, logit] of logits.entries()) {
    if (best.length === count && logit <= logits[best.at(-1)!]!) continue;
    let at = best.length;
    while (at > 0 && logits[best[at - 1]!]! < logit) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}
