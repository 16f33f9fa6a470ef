/**
 * @file A resident model -> a session that goes on from a prompt: tokens and a cache of keys and values in, the next
 * token's logits and a longer cache out. One session serves the base and all its adapters, which are inputs of a run.
 */
import { setImmediate } from 'node:timers/promises';
import { TuneError } from '../../shared/errors.ts';
import { fixInputs } from '../formats/onnxModel.ts';
import { emitOnnx } from '../graph/emitOnnx.ts';
import { addedOutput, buildDecodingGraph, logitPositionsInput } from '../models/decodingGraph.ts';
import { GraphSession, type SessionOptions } from '../runtime/graphSession.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { type AdapterInputs, hasGainInputs, makeAdapterInputs } from './adapterInputs.ts';
import { appendTokens, emptyCache, type KeyValueCache } from './keyValueCache.ts';
import type { ResidentModel } from './residentModel.ts';
import { makeRopeFeeds } from './ropeFeeds.ts';

export interface DecodedStep {
  /** Of each row's last token, [B, V]; of all tokens where they were guessed, [S, V]. */
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
  private readonly options: SessionOptions;
  /** For DoRA adapters; made when the first one comes. */
  private gainedSession: GraphSession | undefined;
  private rope: Readonly<Record<string, RuntimeTensor>>;
  private ropePositions: number;

  private constructor(resident: ResidentModel, session: GraphSession, options: SessionOptions) {
    this.resident = resident;
    this.session = session;
    this.options = options;
    this.baseInputs = makeAdapterInputs(resident.model, null, resident);
    this.ropePositions = Math.min(firstRopePositions, resident.contextTokens);
    this.rope = makeRopeFeeds(resident.model, this.ropePositions);
  }

  static async create(resident: ResidentModel, options: SessionOptions = {}): Promise<DecodingSession> {
    return new DecodingSession(resident, await compileDecoding(resident, options, false), options);
  }

  emptyCache(): KeyValueCache {
    return emptyCache(this.resident.model.config);
  }

  /**
   * Runs the tokens of one row behind those of the cache, whose own tokens stay as they are: it can be extended again.
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
      step = await this.run([tokenIds.slice(from, from + chunkTokens)], step?.cache ?? cache, adapter);
    }
    if (step === undefined) throw new Error('internal: decoding: expected at least one token, got none');
    return step;
  }

  /** Frees the session; the weights go with the last reference to the resident model. */
  async release(): Promise<void> {
    await this.session.release();
    await this.gainedSession?.release();
  }

  /** Runs one token behind those of each row. */
  async extendRows(tokenIds: readonly number[], cache: KeyValueCache, adapter: AdapterInputs): Promise<DecodedStep> {
    return this.run(
      tokenIds.map(id => [id]),
      cache,
      adapter,
    );
  }

  /** Runs tokens of one row of which all but the first are guesses, with the logits of each. */
  async extendGuessed(tokenIds: readonly number[], cache: KeyValueCache, adapter: AdapterInputs): Promise<DecodedStep> {
    return this.run([tokenIds], cache, adapter, tokenIds.length);
  }

  private async run(
    rows: readonly (readonly number[])[],
    cache: KeyValueCache,
    adapter: AdapterInputs,
    wantedLogits = 1,
  ): Promise<DecodedStep> {
    const count = rows[0]!.length;
    const lengths = cache.tokens.map(before => before + count);
    const total = Math.max(...lengths);
    this.growRope(total);
    const mask = new BigInt64Array(rows.length * total);
    for (const [row, length] of lengths.entries()) mask.fill(1n, row * total, row * total + length);
    const session = await this.sessionFor(adapter);
    const results = await session.run({
      ...this.resident.weights,
      ...adapter,
      ...this.rope,
      ...cache.tensors,
      input_ids: makeTensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, count]),
      attention_mask: makeTensor('int64', mask, [rows.length, total]),
      [logitPositionsInput]: makeTensor('int64', fromEnd(wantedLogits), [wantedLogits]),
    });
    return {
      logits: requireFinite(floatData(results.logits!), total),
      cache: appendTokens(this.resident.model.config, cache, floatData(results[addedOutput]!), count),
    };
  }

  private async sessionFor(adapter: AdapterInputs): Promise<GraphSession> {
    if (!hasGainInputs(adapter, this.resident.model)) return this.session;
    this.gainedSession ??= await compileDecoding(this.resident, this.options, true);
    return this.gainedSession;
  }

  private growRope(positions: number): void {
    if (positions <= this.ropePositions) return;
    this.ropePositions = Math.max(positions, Math.min(2 * this.ropePositions, this.resident.contextTokens));
    this.rope = makeRopeFeeds(this.resident.model, this.ropePositions);
  }
}

/** Packed weights go into the session, which lays them out for its kernels; they are let go here. */
function compileDecoding(resident: ResidentModel, options: SessionOptions, gains: boolean): Promise<GraphSession> {
  const { model, packed } = resident;
  const { graph, outputs } = buildDecodingGraph(model, { logits: 'chosen', gains, packed: packed?.forms });
  const onnx = emitOnnx(graph, outputs);
  if (packed === undefined) return GraphSession.create(onnx, options);
  const arrays = packed.arrays.map(({ type, ...array }) => ({ ...array, elementType: type }));
  packed.arrays = [];
  return GraphSession.create(fixInputs(onnx, arrays), { ...options, prepackWeights: true });
}

/** -count to -1. */
function fromEnd(count: number): BigInt64Array {
  return BigInt64Array.from({ length: count }, (_, i) => BigInt(i - count));
}

function requireFinite(logits: Float32Array, position: number): Float32Array {
  let at = 0;
  while (at < logits.length && !Number.isNaN(logits[at])) at++;
  if (at === logits.length) return logits;
  throw new TuneError('not-finite', `generation: expected numbers as logits of token ${position}, got NaN`, {
    hint: 'The weights of the model or of the adapter are damaged: download the model again or retrain the adapter.',
  });
}
