/** @file What a model architecture offers, and what it is given: the border between one architecture and all graphs. */
import type { Value } from '../graph/graph.ts';
import type { Projections } from '../nn/linear.ts';
import type { RopeSettings } from '../nn/rope.ts';

/** A decoder's dimensions, whatever its config.json calls them. */
export interface ModelConfig {
  readonly modelType: string;
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly feedForwardSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly normEpsilon: number;
  /** What embedded tokens are multiplied by, usually 1. */
  readonly embeddingScale: number;
  /** How each layer attends. Layers with equal settings are computed by the same graph. */
  readonly layerAttention: readonly LayerAttention[];
  readonly rope: RopeSettings;
  /** Of layers whose `rope` is `local`. */
  readonly localRope?: RopeSettings | undefined;
  /** What the products of q and k are multiplied by, usually 1 / sqrt(D). */
  readonly attentionFactor: number;
  /** Attention scores s become cap x tanh(s / cap). */
  readonly attentionSoftcap?: number | undefined;
  /** The same for the head's logits. */
  readonly logitSoftcap?: number | undefined;
  /** The most positions that the model was trained for. */
  readonly maxContextTokens: number;
  /** The head's weight is the embedding's. */
  readonly tiedEmbeddings: boolean;
  /** Linear layers with a bias, by the last part of their names. */
  readonly biasedModules: readonly string[];
}

/** How one layer attends. */
export interface LayerAttention {
  /** The tables by which its positions are turned. */
  readonly rope: 'global' | 'local' | 'none';
  /** The most tokens that a token sees, itself included; absent: all before it. */
  readonly windowTokens?: number | undefined;
}

export interface ParameterInfo {
  /** As Hugging Face names it: `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** `linear` weights can carry LoRA. */
  readonly kind: 'embedding' | 'linear' | 'bias' | 'norm' | 'head';
}

/** The parameters in the order in which a forward pass needs them. */
export interface ModelParameters {
  readonly embedding: ParameterInfo;
  readonly layers: readonly (readonly ParameterInfo[])[];
  readonly finalNorm: ParameterInfo;
  /** The embedding itself when the two are tied. */
  readonly head: ParameterInfo;
}

/** What a graph gives to an architecture that is being built into it. */
export interface ModelContext extends Projections {
  readonly config: ModelConfig;
  /** The weight of that name, other than embedding and head. */
  parameter(name: string): Value;
  /**
   * Attention of one layer as the config describes it, rotary positions included: over packed rows in training, over a
   * cache in decoding.
   * q [M, H*D], k and v [M, K*D] -> [M, H*D], where M is all tokens of all rows.
   */
  attend(layer: number, q: Value, k: Value, v: Value): Value;
}

export interface Architecture {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** @throws TuneError `model-invalid`, or `model-unsupported` for a variant that would be computed wrongly. */
  readConfig(json: Readonly<Record<string, unknown>>): ModelConfig;
  describeParameters(config: ModelConfig): ModelParameters;
  /**
   * One block: hidden [M, C] -> [M, C].
   * @param selectRows drops rows once attention has read them, where nothing later needs them: [M, C] -> [N, C]
   */
  buildLayer(context: ModelContext, layer: number, hidden: Value, selectRows?: (x: Value) => Value): Value;
  /** What the head multiplies: hidden [M, C] -> [M, C]. */
  buildFinalNorm(context: ModelContext, hidden: Value): Value;
}
