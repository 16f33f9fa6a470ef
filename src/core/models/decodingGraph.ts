/**
 * @file An architecture -> the graph that generates: new tokens in, logits and a longer key/value cache out. Inputs and
 * outputs are named as transformers.js names them, so that its `generate()` runs on a session of this graph; weights and
 * adapters are inputs too, so that one session serves the base model and every adapter.
 */
import { Graph, type Value } from '../graph/graph.ts';
import { cachedAttention } from '../graph/operations/cachedAttention.ts';
import { reshape } from '../graph/operations/reshape.ts';
import { concatenate, lastPosition } from '../graph/operations/slice.ts';
import { softcap } from '../graph/operations/softcap.ts';
import { applyLinear } from '../nn/linear.ts';
import type { ModelContext, ParameterInfo } from './architecture.ts';
import { scaleEmbedding } from './embeddingScale.ts';
import type { Model } from './findArchitecture.ts';
import { addLinearWeight, addTable, gatherTableRows, multiplyTable, type Table } from './frozenWeights.ts';
import { fedInputNames, loraParameterNames, moduleOf } from './loraNames.ts';
import { listWeightTensors, type ParameterTensor } from './parameterTensors.ts';
import { addRopeInputs } from './ropeInputs.ts';
import type { WeightInput } from './weightForm.ts';

export interface DecodingGraphOptions {
  /** Logits of the last position only ([B, 1, V]), which is all that generation reads, or of every position ([B, S, V]). */
  readonly logits: 'last' | 'all';
  /**
   * Modules (`model.layers.0.self_attn.q_proj`) that have LoRA inputs; absent: every linear layer; []: none (fastest).
   * A of 0 rows and B of 0 columns are the base model.
   */
  readonly loraModules?: readonly string[] | undefined;
  /** Each of them has a gain for DoRA too: `<module>.gain` [out], ones for a layer without. */
  readonly gains?: boolean | undefined;
}

export interface DecodingGraph {
  readonly graph: Graph;
  /** By ONNX output name: give both to `emitOnnx`. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** Weights that must be fed, in their form, as `readWeight` reads them. */
  readonly weights: readonly ParameterTensor[];
  /** LoRA inputs that must be fed, by module. */
  readonly loraModules: readonly string[];
}

const rows = 'batch_size';
const newTokens = 'sequence_length';

/**
 * The decoding graph. Inputs:
 * - `input_ids` int64 [batch_size, sequence_length], the new tokens;
 * - `attention_mask` int64 [batch_size, total_sequence_length], 1 for every token so far. Rows of a batch are of equal
 *   length or end early: tokens stand at a row's front, padding behind;
 * - `past_key_values.<i>.key` and `.value` float32 [batch_size, K, past_sequence_length, D] for each layer i; a first run
 *   feeds them with past_sequence_length 0;
 * - every weight by its Hugging Face name (large embeddings and heads by shard), float32, as stored ([out, in]);
 * - `base_model.model.<module>.lora_A.weight` [rank, in] and `...lora_B.weight` [out, rank] for each LoRA module. The
 *   adapter's scale (alpha / rank) must be multiplied into B by whoever feeds it. Ranks may differ, and be 0;
 * - the rotary tables of `listRopeTables`, with at least as many positions as the cache grows to.
 *
 * Outputs: `logits` and `present.<i>.key` / `.value` [batch_size, K, total_sequence_length, D].
 */
export function buildDecodingGraph(model: Model, options: DecodingGraphOptions): DecodingGraph {
  const { architecture, config } = model;
  const graph = new Graph();
  const parameters = architecture.describeParameters(config);
  const weights = listWeightTensors(model);
  const linearModules = new Map(
    weights.filter(({ kind }) => kind === 'linear').map(weight => [moduleOf(weight), weight]),
  );
  const loraModules = options.loraModules ?? [...linearModules.keys()];

  const inputIds = graph.input('input_ids', 'int64', [rows, newTokens]);
  const attentionMask = graph.input('attention_mask', 'int64', [rows, 'total_sequence_length']);
  const ropeTables = addRopeInputs(graph, config, 'positions');
  const inputs = new Map<string, Value>();
  const addInput = ({ name, type, shape }: WeightInput): Value => {
    const value = inputs.get(name) ?? graph.input(name, type, shape);
    inputs.set(name, value);
    return value;
  };
  const infos = new Map(weights.map(weight => [weight.name, weight]));
  const addPlain = (name: string): Value | undefined => {
    const info = infos.get(name);
    return info && addInput({ name, type: 'float', shape: info.shape });
  };
  const loraValues = new Map(
    loraModules.map((module, index) => {
      const weight = linearModules.get(module);
      if (!weight) throw new Error(`internal: decoding graph: expected a linear layer, got ${module}`);
      const names = loraParameterNames(module);
      const rank = `rank_${index}`;
      const a = graph.input(names.a, 'float', [rank, weight.shape[1]!]);
      const b = graph.input(names.b, 'float', [weight.shape[0]!, rank]);
      const gain = options.gains ? graph.input(fedInputNames.gain(module), 'float', [weight.shape[0]!]) : undefined;
      return [module, { a, b, scale: 1, gain }];
    }),
  );

  const table = (info: ParameterInfo): Table => addTable(addInput, model, info);
  const outputs = new Map<string, Value>();
  const presents = new Map<string, Value>();
  const context: ModelContext = {
    config,
    parameter: name => addPlain(name)!,
    project(modules, x) {
      const layers = modules.map(module => {
        const { product } = addLinearWeight(addInput, model, infos.get(`${module}.weight`)!);
        return {
          product,
          bias: addPlain(`${module}.bias`),
          adapter: loraValues.get(module),
        };
      });
      return applyLinear(x, layers);
    },
    attend(layer, q, k, v) {
      const pastShape = [rows, config.keyValueHeads, 'past_sequence_length', config.headSize];
      const keys = graph.input(`past_key_values.${layer}.key`, 'float', pastShape);
      const values = graph.input(`past_key_values.${layer}.value`, 'float', pastShape);
      const { rope, windowTokens } = config.layerAttention[layer]!;
      const attention = cachedAttention({ q, k, v }, { keys, values }, attentionMask, ropeTables(rope), {
        heads: config.heads,
        keyValueHeads: config.keyValueHeads,
        factor: config.attentionFactor,
        softcap: config.attentionSoftcap,
        windowTokens,
      });
      presents.set(`present.${layer}.key`, attention.presentKeys);
      presents.set(`present.${layer}.value`, attention.presentValues);
      return attention.attended;
    },
  };

  const embedded = gatherTableRows(table(parameters.embedding), inputIds); // [B, S, C]
  let hidden = scaleEmbedding(reshape(embedded, [-1, config.hiddenSize]), config); // [B*S, C]
  for (let layer = 0; layer < config.layers; layer++) hidden = architecture.buildLayer(context, layer, hidden);
  const apart = reshape(hidden, [rows, newTokens, config.hiddenSize]);
  const wanted = options.logits === 'last' ? lastPosition(apart) : apart;
  const normalized = architecture.buildFinalNorm(context, reshape(wanted, [-1, config.hiddenSize]));
  const parts = multiplyTable(normalized, table(parameters.head));
  const logits = parts.length === 1 ? parts[0]! : concatenate(parts, 1); // [.., V]
  const capped = config.logitSoftcap === undefined ? logits : softcap(logits, config.logitSoftcap);
  outputs.set('logits', reshape(capped, [...wanted.shape.slice(0, 2), config.vocabularySize]));
  for (const [name, present] of presents) outputs.set(name, present);
  return { graph, outputs, weights, loraModules };
}
