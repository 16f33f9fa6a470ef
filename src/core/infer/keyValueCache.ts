/**
 * @file The keys and values of all tokens so far, in buffers with room for more: attention writes new tokens behind the
 * old ones in place, so that a token costs no copy of those before it. Full buffers are replaced by larger ones.
 */
import type { ModelConfig } from '../models/architecture.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';

export interface KeyValueCache {
  /** Tokens that count, of each row; what stands behind them in the buffers is overwritten. */
  readonly tokens: readonly number[];
  /** Tokens that the buffers hold. */
  readonly capacity: number;
  /** [B, K, capacity, D], by the decoding graph's input names. */
  readonly tensors: Readonly<Record<string, RuntimeTensor>>;
}

/** Capacities are multiples of this many tokens. */
const capacityStep = 64;

/** A cache of no tokens for one row. */
export function emptyCache(config: ModelConfig): KeyValueCache {
  return { tokens: [0], capacity: 0, tensors: makeBuffers(config, 1, 0, () => undefined) };
}

/** A row of a cache. */
export interface CacheRow {
  readonly cache: KeyValueCache;
  readonly row: number;
}

export function listRows(cache: KeyValueCache): CacheRow[] {
  return cache.tokens.map((_, row) => ({ cache, row }));
}

/** The same tokens with room for `total` of them: itself where it has that, else a copy. */
export function reserveCache(config: ModelConfig, cache: KeyValueCache, total: number): KeyValueCache {
  if (total <= cache.capacity) return cache;
  return copyRows(config, listRows(cache), Math.max(total, Math.min(2 * cache.capacity, config.maxContextTokens)));
}

/** The rows as a batch with room for `total` tokens each; the caches they come from are left as they are. */
export function copyRows(config: ModelConfig, rows: readonly CacheRow[], total: number): KeyValueCache {
  const { keyValueHeads, headSize } = config;
  const capacity = Math.ceil(total / capacityStep) * capacityStep;
  const tensors = makeBuffers(config, rows.length, capacity, (name, data) => {
    let at = 0; // the row's and head's first element
    for (const { cache, row } of rows) {
      const source = floatData(cache.tensors[name]!);
      for (let head = 0; head < keyValueHeads; head++) {
        const from = (row * keyValueHeads + head) * cache.capacity * headSize;
        data.set(source.subarray(from, from + cache.tokens[row]! * headSize), at);
        at += capacity * headSize;
      }
    }
  });
  return { tokens: rows.map(({ cache, row }) => cache.tokens[row]!), capacity, tensors };
}

/** `past_key_values.0.key`, `past_key_values.0.value`, ... */
export function listCacheNames({ layers }: ModelConfig): string[] {
  return Array.from({ length: layers }, (_, layer) => layer).flatMap(layer =>
    ['key', 'value'].map(kind => `past_key_values.${layer}.${kind}`),
  );
}

/** The output that extends the input of this name. */
export function presentName(pastName: string): string {
  return pastName.replace('past_key_values', 'present');
}

function makeBuffers(
  config: ModelConfig,
  rows: number,
  capacity: number,
  fill: (name: string, data: Float32Array) => void,
): Record<string, RuntimeTensor> {
  const shape = [rows, config.keyValueHeads, capacity, config.headSize];
  return Object.fromEntries(
    listCacheNames(config).map(name => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      fill(name, data);
      return [name, makeTensor('float32', data, shape)];
    }),
  );
}
