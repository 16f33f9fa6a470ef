/**
 * @file (seed, step, micro-batch) -> the dropout masks of every adapted layer. One table of random factors a width is
 * drawn for a micro-batch, and each layer reads its rows in an order of its own: a mask of independent elements for
 * every layer, for the price of one. A pure function of its numbers: nothing is saved, and a layer that is computed
 * again meets the same mask.
 */

import type { ParameterInfo } from '../models/architecture.ts';
import { dropoutInputNames } from '../models/dropoutInputs.ts';
import { moduleOf } from '../models/loraNames.ts';
import { makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { createGenerator, permute } from '../text/seededOrder.ts';

/** Which micro-batch of which optimizer step, from 1 and from 0. */
export interface RandomDraw {
  readonly step: number;
  readonly microBatch: number;
}

/** Keeps these draws apart from others of the same seed. */
const purpose = 0x64726f70;

export const firstDraw: RandomDraw = { step: 1, microBatch: 0 };

export class DropoutMasks {
  private readonly seed: number;
  private readonly rate: number;
  private readonly tokens: number;
  /** By module; the number stands for its name in the draws. */
  private readonly modules: ReadonlyMap<string, number>;
  /** By width. */
  private readonly tables: ReadonlyMap<number, Float32Array>;

  /** @param targets weights [out, in] whose layers drop elements of their input of `tokens` rows */
  constructor(seed: number, rate: number, tokens: number, targets: readonly ParameterInfo[]) {
    this.seed = seed;
    this.rate = rate;
    this.tokens = tokens;
    this.modules = new Map(targets.map(weight => [moduleOf(weight), hashName(moduleOf(weight))]));
    const widths = new Set(targets.map(({ shape }) => shape[1]!));
    this.tables = new Map([...widths].map(width => [width, new Float32Array(tokens * width)]));
  }

  /** The masks as graph inputs; valid until the next call. */
  draw({ step, microBatch }: RandomDraw): Record<string, RuntimeTensor> {
    const feeds: Record<string, RuntimeTensor> = {};
    const seeds = [this.seed, purpose, step, microBatch];
    for (const [width, table] of this.tables) {
      fillFactors(table, this.rate, createGenerator([...seeds, width]));
      feeds[dropoutInputNames.masks(width)] = makeTensor('float32', table, [this.tokens, width]);
    }
    for (const [module, number] of this.modules) {
      const rows = permute(this.tokens, ...seeds, number);
      feeds[dropoutInputNames.rows(module)] = makeTensor('int32', rows, [this.tokens]);
    }
    return feeds;
  }
}

function fillFactors(table: Float32Array, rate: number, next: () => number): void {
  const threshold = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  const { length } = table;
  for (let i = 0; i < length; i++) table[i] = next() < threshold ? 0 : kept;
}

/** FNV-1a, 32 bit. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
