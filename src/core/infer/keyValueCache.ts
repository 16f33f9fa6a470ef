/**
 * @file The keys and values of all tokens so far, in buffers with room for more: new tokens are written behind the old
 * ones in place, so that a token costs no copy of those before it. Full buffers are replaced by larger ones.
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

/** Capacities are multiples of this many tokens: attention reads all of the room, and a copy comes once in so many. */
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

/**
 * The cache with `newTokens` more of each row, written into its own buffers where they have room.
 * @param added as the decoding graph hands it out, [B, 2*L*K, S, D]
 */
export function appendTokens(
  config: ModelConfig,
  cache: KeyValueCache,
  added: Float32Array,
  newTokens: number,
): KeyValueCache {
  const total = Math.max(...cache.tokens) + newTokens;
  const grown = reserveCache(config, cache, total);
  const { keyValueHeads, headSize } = config;
  const buffers = Object.values(grown.tensors).map(floatData);
  const part = newTokens * headSize;
  let from = 0; // the row's, buffer's and head's first new element
  for (const [row, before] of grown.tokens.entries()) {
    for (const buffer of buffers) {
      for (let head = 0; head < keyValueHeads; head++, from += part) {
        const at = ((row * keyValueHeads + head) * grown.capacity + before) * headSize;
        buffer.set(added.subarray(from, from + part), at);
      }
    }
  }
  return { ...grown, tokens: grown.tokens.map(before => before + newTokens) };
}

/** The same tokens with room for `total` of them: itself where it has that, else a copy. */
export function reserveCache(config: ModelConfig, cache: KeyValueCache, total: number): KeyValueCache {
  if (total <= cache.capacity) return cache;
  return copyRows(config, listRows(cache), total);
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
