/**
 * @file What training and evaluation graphs give to an architecture: weights and adapters as graph inputs, attention
 * over packed rows with restarting positions.
 */
import type { DataType, Graph, Value } from '../graph/graph.ts';
import { attention } from '../graph/operations/attention.ts';
import { gatherRows } from '../graph/operations/gather.ts';
import { rotary } from '../graph/operations/rotary.ts';
import { applyLinear } from '../nn/linear.ts';
import type { ModelContext, ParameterInfo } from './architecture.ts';
import { type AdapterGraph, buildAdapter, stackLayer } from './buildAdapter.ts';
import type { Model } from './findArchitecture.ts';
import { addLinearWeight, addTable, type Table } from './frozenWeights.ts';
import { addRopeInputs } from './ropeInputs.ts';
import type { TrainableSpec } from './trainableSpec.ts';
import type { WeightInput } from './weightForm.ts';

/** The shape of every batch of an engine. */
export interface BatchShape {
  readonly batchRows: number;
  readonly contextTokens: number;
}

/** Inputs that a batch brings, all of them int32 but the label weights. */
export const batchInputNames = {
  /** [B, T] */
  tokenIds: 'token_ids',
  positions: 'positions',
  segments: 'segments',
  /** [N], where N varies from run to run */
  targetPositions: 'target_positions',
  labels: 'labels',
  labelWeights: 'label_weights',
} as const;

/** Contexts up to this length keep attention's probabilities where both passes run in a row; they grow as its square. */
const maxSharedContext = 1024;

/**
 * Queries that attention takes at a time: enough for the products to be fast, few enough to skip keys after them. Beyond
 * 2,048 tokens no more, so that scores [t, T], and with them the whole of attention, grow linearly with the context.
 */
export function chooseBlockTokens(contextTokens: number): number {
  return Math.min(256, Math.max(128, Math.ceil(contextTokens / 8)));
}

export interface TrainingContext extends ModelContext {
  /** The embedding or the head: one tensor, or its shards in order. */
  table(info: ParameterInfo): Table;
}

/**
 * The context for packed batches.
 * @param recompute false where forward and backward pass of a layer run in a row, so that attention may be shared
 */
export function makeTrainingContext(
  graph: Graph,
  model: Model,
  shape: BatchShape,
  trainable: TrainableSpec,
  recompute: boolean,
): TrainingContext {
  const { architecture, config } = model;
  const { batchRows, contextTokens } = shape;
  const segments = graph.input(batchInputNames.segments, 'int32', [batchRows, contextTokens]);
  const positions = graph.input(batchInputNames.positions, 'int32', [batchRows, contextTokens]);
  const ropeTables = addRopeInputs(graph, config, 'P');
  const parameters = architecture.describeParameters(config);
  const infos = new Map(
    [parameters.embedding, ...parameters.layers.flat(), parameters.finalNorm, parameters.head].map(info => [
      info.name,
      info,
    ]),
  );
  const values = new Map<string, Value>();
  const input = (name: string, dims: readonly number[], type: DataType | 'float' = 'float'): Value => {
    const value = values.get(name) ?? graph.input(name, type, dims);
    values.set(name, value);
    return value;
  };
  const addInput = ({ name, shape: dims, type }: WeightInput): Value => input(name, dims, type);
  const adapterGraph: AdapterGraph = {
    input,
    tokens: batchRows * contextTokens,
    selectRows: perToken => gatherRows(perToken, graph.inputs.get(batchInputNames.targetPositions)!),
  };
  return {
    config,
    parameter: name => input(name, infos.get(name)!.shape),
    table: info => addTable(addInput, model, info),
    project(modules, x) {
      const layers = modules.map(module => {
        const info = infos.get(`${module}.weight`)!;
        const bias = infos.get(`${module}.bias`);
        const frozen = { weight: info, ...addLinearWeight(addInput, model, info) };
        const isLora = trainable.method === 'lora';
        const layer = isLora ? stackLayer(adapterGraph, trainable, frozen) : frozen;
        return {
          product: layer.product,
          bias: bias && input(bias.name, bias.shape),
          adapter: isLora ? buildAdapter(adapterGraph, trainable, layer, x) : undefined,
        };
      });
      return applyLinear(x, layers);
    },
    attend(layer, q, k, v) {
      const { heads, keyValueHeads, attentionFactor, attentionSoftcap } = config;
      const { rope, windowTokens } = config.layerAttention[layer]!;
      const tables = ropeTables(rope);
      const turn = (x: Value, count: number): Value =>
        tables ? rotary(x, positions, tables.cosines, tables.sines, count) : x;
      return attention(turn(q, heads), turn(k, keyValueHeads), v, segments, {
        heads,
        keyValueHeads,
        factor: attentionFactor,
        softcap: attentionSoftcap,
        windowTokens,
        blockTokens: chooseBlockTokens(contextTokens),
        recompute: recompute || contextTokens > maxSharedContext,
      });
    },
  };
}
