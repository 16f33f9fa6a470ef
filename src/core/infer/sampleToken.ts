/**
 * @file Logits -> one token, drawn at a temperature from the smallest set of tokens whose probability reaches top-p
 * (nucleus sampling, Holtzman et al. 2020, arXiv:1904.09751), repeatable by a seed.
 */
import { findLargest } from './findLargest.ts';

export interface SamplingSettings {
  /** Above 0. */
  readonly temperature: number;
  /** Above 0, at most 1; 1 draws from every token. */
  readonly topP: number;
}

/** @param draw a number at random from 0 up to, not including, 1 */
export function sampleToken(logits: Float32Array, { temperature, topP }: SamplingSettings, draw: () => number): number {
  const probabilities = softmax(logits, temperature);
  const tokens = topP < 1 ? findNucleus(probabilities, topP) : null;
  const size = tokens?.length ?? probabilities.length;
  const tokenAt = (i: number): number => tokens?.[i] ?? i;
  let total = 0;
  for (let i = 0; i < size; i++) total += probabilities[tokenAt(i)]!;
  let left = draw() * total;
  for (let i = 0; i < size; i++) {
    left -= probabilities[tokenAt(i)]!;
    if (left < 0) return tokenAt(i);
  }
  return findLargest(logits); // rounding used up the draw
}

function softmax(logits: Float32Array, temperature: number): Float64Array {
  const largest = logits[findLargest(logits)]!;
  const weights = Float64Array.from(logits, logit => Math.exp((logit - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map(weight => weight / total);
}

/** Likeliest first; of equals the smaller id. */
function findNucleus(probabilities: Float64Array, topP: number): number[] {
  // Tokens below this floor together hold at most 1 - topP, so that none of them is in the set: no need to sort them.
  const floor = (1 - topP) / probabilities.length;
  const candidates: number[] = [];
  for (const [token, probability] of probabilities.entries()) if (probability >= floor) candidates.push(token);
  candidates.sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  let sum = 0;
  const end = candidates.findIndex(token => (sum += probabilities[token]!) >= topP);
  return end < 0 ? candidates : candidates.slice(0, end + 1);
}
