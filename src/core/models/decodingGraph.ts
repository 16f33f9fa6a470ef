/**
 * @file An architecture -> the graph that generates: new tokens and a key/value cache in, logits and what the cache gains
 * out. Inputs are named as transformers.js names them; adapters and weights are inputs too, so that one session serves
 * the base model and every adapter.
 */
import { Graph, type Value } from '../graph/graph.ts';
import { cachedAttention } from '../graph/operations/cachedAttention.ts';
import { packedLinear } from '../graph/operations/packedLinear.ts';
import { type PackedTable, packedRows } from '../graph/operations/packedRows.ts';
import { reshape } from '../graph/operations/reshape.ts';
import { concatenate, takePositions } from '../graph/operations/slice.ts';
import { softcap } from '../graph/operations/softcap.ts';
import { applyLinear } from '../nn/linear.ts';
import type { ModelContext, ParameterInfo } from './architecture.ts';
import { scaleEmbedding } from './architectures/embeddingScale.ts';
import { addLoraInputs, addPackedWeights } from './decodingInputs.ts';
import type { Model } from './findArchitecture.ts';
import { addLinearWeight, addTable, gatherTableRows, multiplyTable, type Table } from './frozenWeights.ts';
import { moduleOf } from './loraNames.ts';
import type { PackedForms } from './packedWeights.ts';
import { listWeightTensors, type ParameterTensor, splitTable } from './parameterTensors.ts';
import { addRopeInputs } from './ropeInputs.ts';
import type { WeightInput } from './weightForm.ts';

export interface DecodingGraphOptions {
  /** Logits of chosen positions only ([B, W, V]), which is all that generation reads, or of every position ([B, S, V]). */
  readonly logits: 'chosen' | 'all';
  /**
   * Modules (`model.layers.0.self_attn.q_proj`) that have LoRA inputs; absent: every linear layer; []: none (fastest).
   * A of 0 rows and B of 0 columns are the base model.
   */
  readonly loraModules?: readonly string[] | undefined;
  /** Each of them has a gain for DoRA too: `<module>.gain` [out], ones for a layer without. */
  readonly gains?: boolean | undefined;
  /** Weights whose blocks kernels lay out; absent: none. Without gains. */
  readonly packed?: PackedForms | undefined;
}

export interface DecodingGraph {
  readonly graph: Graph;
  /** By ONNX output name: give both to `emitOnnx`. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** Weights that must be fed, in their form, as `readWeight` reads them. Packed ones are not among them. */
  readonly weights: readonly ParameterTensor[];
  /** LoRA inputs that must be fed, by module. */
  readonly loraModules: readonly string[];
}

/** int64 [chosen_positions]: which of the new tokens have logits, from the end where negative; -1 is the last. */
export const logitPositionsInput = 'logit_positions';

/** The output that holds the new tokens' keys and values. */
export const addedOutput = 'added';

const rows = 'batch_size';
const newTokens = 'sequence_length';

/**
 * The decoding graph. Inputs:
 * - `input_ids` int64 [batch_size, sequence_length], the new tokens;
 * - `attention_mask` int64 [batch_size, total_sequence_length], 1 for every token so far. Rows of a batch are of equal
 *   length or end early: tokens stand at a row's front, padding behind;
 * - `past_key_values.<i>.key` and `.value` float32 [batch_size, K, past_sequence_length, D] for each layer i: room for as
 *   many tokens, of which those count that the mask says; 0 in a first run;
 * - `logit_positions` where logits are asked for chosen positions;
 * - every weight by its Hugging Face name (large embeddings and heads by shard), float32, as stored ([out, in]). Packed
 *   ones are the arrays of `listPackedArrays`, which are to be made initializers: as inputs they would be slow;
 * - `base_model.model.<module>.lora_A.weight` [rank, in] and `...lora_B.weight` [out, rank] for each LoRA module. The
 *   adapter's scale (alpha / rank) must be multiplied into B by whoever feeds it. Ranks may differ, and be 0. Where a
 *   packed weight has offsets they stand in B behind the adapter's columns;
 * - the rotary tables of `listRopeTables`, with at least as many positions as the cache grows to.
 *
 * Outputs: `logits`, and as `added` what the cache gains: [batch_size, 2 x layers x K, sequence_length, D], for each layer
 * the K heads' keys of the new tokens, then their values.
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
  const packed = addPackedWeights(graph, weights, options.packed ?? new Map());
  const loraValues = addLoraInputs(graph, linearModules, loraModules, { packed, gains: options.gains ?? false });

  const table = (info: ParameterInfo): Table => addTable(addInput, model, info);
  const packedTable = (info: ParameterInfo): PackedTable[] =>
    splitTable(model, info).flatMap(({ name }) => packed.get(name) ?? []);
  const outputs = new Map<string, Value>();
  const added: Value[] = [];
  const context: ModelContext = {
    config,
    parameter: name => addPlain(name)!,
    project(modules, x) {
      const layers = modules.map(module => {
        const bias = addPlain(`${module}.bias`);
        const lora = loraValues.get(module);
        const blocks = packed.get(`${module}.weight`);
        if (blocks) return { product: (of: Value) => packedLinear(of, blocks, lora), bias };
        const { product } = addLinearWeight(addInput, model, infos.get(`${module}.weight`)!);
        return { product, bias, adapter: lora?.a && { a: lora.a, b: lora.b, scale: 1, gain: lora.gain } };
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
      added.push(attention.newKeys, attention.newValues);
      return attention.attended;
    },
  };

  const embedding = packedTable(parameters.embedding);
  const embedded =
    embedding.length > 0 ? packedRows(embedding, inputIds) : gatherTableRows(table(parameters.embedding), inputIds); // [B, S, C]
  let hidden = scaleEmbedding(reshape(embedded, [-1, config.hiddenSize]), config); // [B*S, C]
  for (let layer = 0; layer < config.layers; layer++) hidden = architecture.buildLayer(context, layer, hidden);
  const apart = reshape(hidden, [rows, newTokens, config.hiddenSize]);
  const wanted =
    options.logits === 'chosen'
      ? takePositions(apart, graph.input(logitPositionsInput, 'int64', ['chosen_positions']))
      : apart;
  const normalized = architecture.buildFinalNorm(context, reshape(wanted, [-1, config.hiddenSize]));
  const head = packedTable(parameters.head);
  const parts =
    head.length > 0
      ? head.map(shard => packedLinear(normalized, shard, shard.offsets && { b: shard.offsets }))
      : multiplyTable(normalized, table(parameters.head));
  const logits = parts.length === 1 ? parts[0]! : concatenate(parts, 1); // [.., V]
  const capped = config.logitSoftcap === undefined ? logits : softcap(logits, config.logitSoftcap);
  outputs.set('logits', reshape(capped, [...wanted.shape.slice(0, 2), config.vocabularySize]));
  outputs.set(addedOutput, concatenate(added, 1));
  return { graph, outputs, weights: weights.filter(({ name }) => !packed.has(name)), loraModules };
}
