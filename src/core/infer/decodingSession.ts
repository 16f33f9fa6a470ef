/**
 * @file A resident model -> a session that goes on from a prompt: tokens and a cache of keys and values in, the next
 * token's logits and a longer cache out. One session serves the base and all its adapters, which are inputs of a run.
 */
import { setImmediate } from 'node:timers/promises';
import { TuneError } from '../../shared/errors.ts';
import { emitOnnx } from '../graph/emitOnnx.ts';
import { buildDecodingGraph } from '../models/decodingGraph.ts';
import { GraphSession, type SessionOptions } from '../runtime/graphSession.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { type AdapterInputs, makeAdapterInputs } from './adapterInputs.ts';
import type { ResidentModel } from './residentModel.ts';
import { makeRopeFeeds } from './ropeFeeds.ts';

/** Keys and values of all tokens so far, by the decoding graph's input names; empty before the first. */
export interface KeyValueCache {
  readonly tokens: number;
  readonly tensors: Readonly<Record<string, RuntimeTensor>>;
}

export interface DecodedStep {
  /** Of the last token, [V]. */
  readonly logits: Float32Array;
  readonly cache: KeyValueCache;
}

/** Tokens of a prompt that run at a time: bounds memory, and lets a cancel through in the middle of a long prompt. */
const chunkTokens = 256;
const firstRopePositions = 512;

export class DecodingSession {
  readonly resident: ResidentModel;
  /** The base model's: adapters of rank 0. */
  readonly baseInputs: AdapterInputs;
  private readonly session: GraphSession;
  private rope: Readonly<Record<string, RuntimeTensor>>;
  private ropePositions: number;

  private constructor(resident: ResidentModel, session: GraphSession) {
    this.resident = resident;
    this.session = session;
    this.baseInputs = makeAdapterInputs(resident.model, null);
    this.ropePositions = Math.min(firstRopePositions, resident.contextTokens);
    this.rope = makeRopeFeeds(resident.model, this.ropePositions);
  }

  static async create(resident: ResidentModel, options: SessionOptions = {}): Promise<DecodingSession> {
    const { graph, outputs } = buildDecodingGraph(resident.model, { logits: 'last' });
    return new DecodingSession(resident, await GraphSession.create(emitOnnx(graph, outputs), options));
  }

  emptyCache(): KeyValueCache {
    const { keyValueHeads, headSize } = this.resident.model.config;
    const empty = () => makeTensor('float32', new Float32Array(0), [1, keyValueHeads, 0, headSize]);
    return { tokens: 0, tensors: Object.fromEntries(this.cacheNames().map(name => [name, empty()])) };
  }

  /** `past_key_values.0.key`, `past_key_values.0.value`, ... */
  cacheNames(): string[] {
    const layers = Array.from({ length: this.resident.model.config.layers }, (_, layer) => layer);
    return layers.flatMap(layer => ['key', 'value'].map(kind => `past_key_values.${layer}.${kind}`));
  }

  /**
   * Runs the tokens behind those of the cache, which is left as it is.
   * @throws TuneError `not-finite` when the logits are not numbers; AbortError between two chunks when cancelled
   */
  async extend(
    tokenIds: readonly number[],
    cache: KeyValueCache,
    adapter: AdapterInputs,
    signal?: AbortSignal,
  ): Promise<DecodedStep> {
    let step: DecodedStep | undefined;
    for (let from = 0; from < tokenIds.length; from += chunkTokens) {
      if (from > 0) await setImmediate();
      signal?.throwIfAborted();
      step = await this.runChunk(tokenIds.slice(from, from + chunkTokens), step?.cache ?? cache, adapter);
    }
    if (step === undefined) throw new Error('internal: decoding: expected at least one token, got none');
    return step;
  }

  /** Frees the session; the weights go with the last reference to the resident model. */
  async release(): Promise<void> {
    await this.session.release();
  }

  private async runChunk(
    tokenIds: readonly number[],
    cache: KeyValueCache,
    adapter: AdapterInputs,
  ): Promise<DecodedStep> {
    const total = cache.tokens + tokenIds.length;
    this.growRope(total);
    const results = await this.session.run({
      ...this.resident.weights,
      ...adapter,
      ...this.rope,
      ...cache.tensors,
      input_ids: makeTensor('int64', BigInt64Array.from(tokenIds, BigInt), [1, tokenIds.length]),
      attention_mask: makeTensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
    });
    const tensors = Object.fromEntries(
      this.cacheNames().map(name => [name, results[name.replace('past_key_values', 'present')]!]),
    );
    return { logits: requireFinite(floatData(results.logits!), total), cache: { tokens: total, tensors } };
  }

  private growRope(positions: number): void {
    if (positions <= this.ropePositions) return;
    this.ropePositions = Math.max(positions, Math.min(2 * this.ropePositions, this.resident.contextTokens));
    this.rope = makeRopeFeeds(this.resident.model, this.ropePositions);
  }
}

function requireFinite(logits: Float32Array, position: number): Float32Array {
  if (!logits.some(Number.isNaN)) return logits;
  throw new TuneError('not-finite', `generation: expected numbers as logits of token ${position}, got NaN`, {
    hint: 'The weights of the model or of the adapter are damaged: download the model again or retrain the adapter.',
  });
}
