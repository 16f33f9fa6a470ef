/**
 * @file What a setting may be -> Optuna's JSON for it and back, and a number line on which samplers work: logarithms where
 * the range is logarithmic, whole numbers widened by a half on either side, choices by index.
 */
import type { Distribution } from '../../shared/searchRecord.ts';

export type NumericDistribution = Exclude<Distribution, { kind: 'choice' }>;

export interface Line {
  readonly low: number;
  readonly high: number;
}

/** The number line of a range. */
export function lineOf({ kind, low, high, log }: NumericDistribution): Line {
  const margin = kind === 'integer' ? 0.5 : 0;
  const ends = { low: low - margin, high: high + margin };
  return log ? { low: Math.log(ends.low), high: Math.log(ends.high) } : ends;
}

export const toLine = (value: number, { log }: NumericDistribution): number => (log ? Math.log(value) : value);

/** The value at a place of the line, rounded and within the range. */
export function fromLine(place: number, { kind, low, high, log }: NumericDistribution): number {
  const value = log ? Math.exp(place) : place;
  const rounded = kind === 'integer' ? Math.round(value) : value;
  return Math.min(high, Math.max(low, rounded));
}

/** @param uniform from [0, 1) */
export function drawUniform(distribution: Distribution, uniform: number): number {
  if (distribution.kind === 'choice') return Math.floor(uniform * distribution.choices.length);
  const { low, high } = lineOf(distribution);
  return fromLine(low + uniform * (high - low), distribution);
}

/** Whether an internal value belongs to the distribution. */
export function contains(distribution: Distribution, internal: number): boolean {
  if (distribution.kind === 'choice') return Number.isInteger(internal) && distribution.choices[internal] !== undefined;
  const isKind = distribution.kind === 'real' || Number.isInteger(internal);
  return isKind && internal >= distribution.low && internal <= distribution.high;
}

/** The text that an internal value stands for, as after `--set name=`. */
export function printInternal(distribution: Distribution, internal: number): string {
  if (distribution.kind === 'choice') return distribution.choices[internal] ?? '';
  return distribution.kind === 'integer' ? String(internal) : String(Number(internal.toPrecision(6)));
}

/** As Optuna writes it, a string of JSON. */
export function toOptunaJson(distribution: Distribution): string {
  if (distribution.kind === 'choice') {
    return JSON.stringify({ name: 'CategoricalDistribution', attributes: { choices: distribution.choices } });
  }
  const { kind, low, high, log } = distribution;
  return kind === 'real'
    ? JSON.stringify({ name: 'FloatDistribution', attributes: { step: null, low, high, log } })
    : JSON.stringify({ name: 'IntDistribution', attributes: { log, step: 1, low, high } });
}

/** Undefined for one that this program does not make, such as a range with steps. */
export function fromOptunaJson(text: string): Distribution | undefined {
  const { name, attributes } = JSON.parse(text) as { name: string; attributes: Record<string, unknown> };
  const { low, high, log, step, choices } = attributes;
  if (name === 'CategoricalDistribution' && Array.isArray(choices)) {
    return { kind: 'choice', choices: choices.map(String) };
  }
  if (typeof low !== 'number' || typeof high !== 'number') return undefined;
  if (name === 'FloatDistribution' && step == null) return { kind: 'real', low, high, log: log === true };
  if (name === 'IntDistribution' && (step == null || step === 1)) {
    return { kind: 'integer', low, high, log: log === true };
  }
  return undefined;
}
