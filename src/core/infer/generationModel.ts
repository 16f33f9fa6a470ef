/**
 * @file A decoding session with an adapter -> a model that transformers.js can call `generate()` on. Its feeds name the
 * tokens, the mask and the cache; weights, adapter and rotary tables are added here.
 */
import { makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import type { Transformers } from '../runtime/transformersLibrary.ts';
import type { AdapterInputs } from './adapterInputs.ts';
import type { CachedPrefix } from './cachedPrefix.ts';
import type { DecodingSession } from './decodingSession.ts';
import { type KeyValueCache, listCacheNames, presentName } from './keyValueCache.ts';
import { Lookahead } from './lookahead.ts';

type Feeds = Record<string, RuntimeTensor>;

export interface GenerationInputs {
  readonly adapter: AdapterInputs;
  /** What was run already, with the same adapter: a prompt that begins with it goes on from there. */
  readonly prefix?: CachedPrefix | undefined;
  /** Cancels between two chunks of a prompt, with an AbortError. */
  readonly signal?: AbortSignal | undefined;
}

export function createGenerationModel(
  { LlamaForCausalLM, PretrainedConfig }: typeof Transformers,
  session: DecodingSession,
  { adapter, prefix, signal }: GenerationInputs,
): InstanceType<typeof Transformers.LlamaForCausalLM> {
  const { config } = session.resident.model;
  const cacheNames = listCacheNames(config);
  const cacheShape = ['batch_size', config.keyValueHeads, 'past_sequence_length', config.headSize];
  // Whatever the architecture: the library needs the dimensions of the cache from it, and takes them from Llama's names.
  const libraryConfig = new PretrainedConfig({
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headSize,
    vocab_size: config.vocabularySize,
  });
  let lookahead: Lookahead | undefined;
  const run = async (feeds: Feeds): Promise<Feeds> => {
    const tokenIds = Array.from(feeds.input_ids!.data as BigInt64Array, Number);
    const isPrompt = feeds.attention_mask!.dims[1] === tokenIds.length;
    const { rest, cache } = startPrompt(session, tokenIds, prefix);
    const step =
      isPrompt || lookahead === undefined
        ? await session.extend(rest, cache, adapter, signal)
        : await lookahead.extend(tokenIds[0]!);
    if (isPrompt) lookahead = new Lookahead(session, adapter, tokenIds, step.cache);
    return {
      logits: makeTensor('float32', step.logits, [1, 1, config.vocabularySize]),
      ...Object.fromEntries(cacheNames.map(name => [presentName(name), step.cache.tensors[name]!])),
    };
  };
  const sessionLike = {
    inputNames: ['input_ids', 'attention_mask', ...cacheNames],
    inputMetadata: cacheNames.map(name => ({ name, isTensor: true, type: 'float32', shape: cacheShape })),
    outputNames: ['logits', ...cacheNames.map(name => presentName(name))],
    config: { dtype: 'fp32', device: 'cpu' },
    run,
  };
  return new LlamaForCausalLM(libraryConfig, { model: sessionLike }, {});
}

function startPrompt(
  session: DecodingSession,
  tokenIds: readonly number[],
  prefix: CachedPrefix | undefined,
): { rest: readonly number[]; cache: KeyValueCache } {
  const isUsable =
    prefix !== undefined &&
    prefix.tokenIds.length < tokenIds.length &&
    prefix.tokenIds.every((id, i) => id === tokenIds[i]);
  if (!isUsable) return { rest: tokenIds, cache: session.emptyCache() };
  return { rest: tokenIds.slice(prefix.tokenIds.length), cache: prefix.cache };
}
