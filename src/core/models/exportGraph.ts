/**
 * @file An architecture -> the graph of a decoder that other programs run: tokens, mask, positions and the whole cache in,
 * logits and the longer cache out, named and laid out as transformers.js expects them.
 */
import { Graph, type Value } from '../graph/graph.ts';
import { keepLast, separateRows } from '../graph/operations/keepLast.ts';
import { presentAttention } from '../graph/operations/presentAttention.ts';
import { reshape } from '../graph/operations/reshape.ts';
import { concatenate } from '../graph/operations/slice.ts';
import { softcap } from '../graph/operations/softcap.ts';
import { applyLinear } from '../nn/linear.ts';
import { scaleFrequencies } from '../nn/ropeScaling.ts';
import type { LayerAttention, ModelContext } from './architecture.ts';
import { scaleEmbedding } from './architectures/embeddingScale.ts';
import type { Model } from './findArchitecture.ts';
import { addLinearWeight, addTable, gatherTableRows, multiplyTable } from './frozenWeights.ts';
import { listWeightTensors, type ParameterTensor } from './parameterTensors.ts';
import { countAnswerableTokens } from './ropeInputs.ts';
import type { WeightInput } from './weightForm.ts';

export interface ExportGraph {
  readonly graph: Graph;
  /** By ONNX output name: give both to `emitOnnx`. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** Graph inputs that are to become constants. */
  readonly weights: readonly ParameterTensor[];
}

const rows = 'batch_size';
const newTokens = 'sequence_length';
const kept = 'kept_logits';

/**
 * Inputs `input_ids`, `attention_mask`, `position_ids`, `num_logits_to_keep` (0 for all) and `past_key_values.<i>.key` and
 * `.value` [batch_size, K, past_sequence_length, D]; outputs `logits` and `present.<i>.key` and `.value`.
 */
export function buildExportGraph(model: Model): ExportGraph {
  const { architecture, config } = model;
  const graph = new Graph();
  const parameters = architecture.describeParameters(config);
  const weights = listWeightTensors(model);
  const infos = new Map(weights.map(weight => [weight.name, weight]));
  const inputIds = graph.input('input_ids', 'int64', [rows, newTokens]);
  const attentionMask = graph.input('attention_mask', 'int64', [rows, 'total_sequence_length']);
  const positions = graph.input('position_ids', 'int64', [rows, newTokens]);
  const known = new Map<string, Value>();
  const addInput = ({ name, type, shape }: WeightInput): Value => {
    const value = known.get(name) ?? graph.input(name, type, shape);
    known.set(name, value);
    return value;
  };
  const addPlain = (name: string): Value | undefined => {
    const info = infos.get(name);
    return info && addInput({ name, type: 'float', shape: info.shape });
  };
  const outputs = new Map<string, Value>();
  const present: [string, Value][] = [];
  const context: ModelContext = {
    config,
    parameter: name => addPlain(name)!,
    project: (modules, x) =>
      applyLinear(
        x,
        modules.map(module => ({
          product: addLinearWeight(addInput, model, infos.get(`${module}.weight`)!).product,
          bias: addPlain(`${module}.bias`),
        })),
      ),
    attend(layer, q, k, v) {
      const pastShape = [rows, config.keyValueHeads, 'past_sequence_length', config.headSize];
      const past = {
        keys: graph.input(`past_key_values.${layer}.key`, 'float', pastShape),
        values: graph.input(`past_key_values.${layer}.value`, 'float', pastShape),
      };
      const { rope, windowTokens } = config.layerAttention[layer]!;
      const attention = presentAttention({ q, k, v }, past, attentionMask, positions, {
        heads: config.heads,
        keyValueHeads: config.keyValueHeads,
        factor: config.attentionFactor,
        rope: describeRope(model, rope),
        softcap: config.attentionSoftcap,
        windowTokens,
      });
      present.push([`present.${layer}.key`, attention.keys], [`present.${layer}.value`, attention.values]);
      return attention.attended;
    },
  };
  const embedded = gatherTableRows(addTable(addInput, model, parameters.embedding), inputIds); // [B, S, C]
  let hidden = scaleEmbedding(reshape(embedded, [-1, config.hiddenSize]), config); // [B*S, C]
  for (let layer = 0; layer < config.layers; layer++) hidden = architecture.buildLayer(context, layer, hidden);
  const count = graph.input('num_logits_to_keep', 'int64', []);
  const wanted = keepLast(reshape(hidden, [rows, newTokens, config.hiddenSize]), count, kept);
  const normalized = architecture.buildFinalNorm(context, reshape(wanted, [-1, config.hiddenSize]));
  const parts = multiplyTable(normalized, addTable(addInput, model, parameters.head));
  const logits = parts.length === 1 ? parts[0]! : concatenate(parts, 1); // [.., V]
  const capped = config.logitSoftcap === undefined ? logits : softcap(logits, config.logitSoftcap);
  outputs.set('logits', separateRows(capped, rows, kept));
  for (const [name, value] of present) outputs.set(name, value);
  return { graph, outputs, weights };
}

function describeRope({ config }: Model, kind: LayerAttention['rope']) {
  if (kind === 'none') return undefined;
  const settings = kind === 'local' ? config.localRope! : config.rope;
  return scaleFrequencies(settings, countAnswerableTokens(config));
}
