/**
 * @file What training and evaluation graphs give to an architecture: weights and adapters as graph inputs, attention
 * over packed rows with restarting positions.
 */
import type { DataType, Graph, Value } from '../graph/graph.ts';
import { attention } from '../graph/operations/attention.ts';
import { gatherRows } from '../graph/operations/gather.ts';
import { rotary } from '../graph/operations/rotary.ts';
import type { Adapter, DropoutInputs } from '../nn/adapter.ts';
import { applyLinear } from '../nn/linear.ts';
import type { ModelContext, ParameterInfo } from './architecture.ts';
import { dropoutInputNames } from './dropoutInputs.ts';
import type { Model } from './findArchitecture.ts';
import { addLinearWeight, addTable, type Table } from './frozenWeights.ts';
import { loraParameterNames, moduleOf } from './loraNames.ts';
import { addRopeInputs } from './ropeInputs.ts';
import type { WeightInput } from './weightForm.ts';

/** The shape of every batch of an engine. */
export interface BatchShape {
  readonly batchRows: number;
  readonly contextTokens: number;
}

/** The adapters to be trained, or `full` for the weights themselves. */
export type TrainableSpec = { readonly method: 'full' } | ({ readonly method: 'lora' } & LoraSpec);

export interface LoraSpec {
  readonly rank: number;
  /** alpha / rank, or alpha / sqrt(rank) for rsLoRA. */
  readonly scale: number;
  /** W + scale B A is made at each use, where W is in floats; see `Adapter`. */
  readonly mergesWeights: boolean;
  /** Elements of the adapters' inputs are dropped, by masks that are fed. */
  readonly drops?: boolean | undefined;
  /** Linear weights that carry an adapter, by name. */
  readonly targets: ReadonlySet<string>;
  /** Parameters that are trained themselves, by name. */
  readonly whole?: ReadonlySet<string> | undefined;
}

/** Whether the parameter itself is trained, not only an adapter beside it. */
export function isTrained(trainable: TrainableSpec, { name }: { readonly name: string }): boolean {
  return trainable.method === 'full' || trainable.whole?.has(name) === true;
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

/** Queries that attention takes at a time: enough for the products to be fast, few enough to skip keys after them. */
function chooseBlockTokens(contextTokens: number): number {
  return Math.max(128, Math.ceil(contextTokens / 8));
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
  const addDropout = (info: ParameterInfo, x: Value): DropoutInputs => {
    const [tokens, width] = [batchRows * contextTokens, info.shape[1]!];
    const masks = input(dropoutInputNames.masks(width), [tokens, width]);
    const rows = input(dropoutInputNames.rows(moduleOf(info)), [tokens], 'int32');
    if (x.shape[0] === tokens) return { masks, rows };
    return { masks, rows: gatherRows(rows, graph.inputs.get(batchInputNames.targetPositions)!) };
  };
  const addAdapter = (info: ParameterInfo, weight: Value | undefined, x: Value): Adapter | undefined => {
    if (trainable.method !== 'lora' || !trainable.targets.has(info.name)) return undefined;
    const { rank, scale, mergesWeights, drops } = trainable;
    const [a, b] = describeLora(info, rank);
    return {
      a: input(a.name, a.shape),
      b: input(b.name, b.shape),
      scale,
      mergeInto: mergesWeights && !drops ? weight : undefined,
      dropout: drops ? addDropout(info, x) : undefined,
    };
  };
  return {
    config,
    parameter: name => input(name, infos.get(name)!.shape),
    table: info => addTable(addInput, model, info),
    project(modules, x) {
      const layers = modules.map(module => {
        const info = infos.get(`${module}.weight`)!;
        const bias = infos.get(`${module}.bias`);
        const { product, matrix } = addLinearWeight(addInput, model, info);
        return {
          product,
          bias: bias && input(bias.name, bias.shape),
          adapter: addAdapter(info, matrix, x),
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
        recompute,
      });
    },
  };
}

/** The matrices of one layer's adapter: A [rank, in] and B [out, rank]. */
export function describeLora(
  weight: ParameterInfo,
  rank: number,
): [
  a: { readonly name: string; readonly shape: readonly number[] },
  b: { readonly name: string; readonly shape: readonly number[] },
] {
  const [out, inner] = weight.shape as [number, number];
  const names = loraParameterNames(moduleOf(weight));
  return [
    { name: names.a, shape: [rank, inner] },
    { name: names.b, shape: [out, rank] },
  ];
}

/** What evaluation computes: the same without dropout. */
export function withoutDropout(trainable: TrainableSpec): TrainableSpec {
  return trainable.method === 'full' ? trainable : { ...trainable, drops: false };
}

export interface TrainableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: ParameterInfo['kind'] | 'lora';
}

/** The trainable tensors that a list of parameters brings, in order. */
export function listTrainable(parameters: readonly ParameterInfo[], trainable: TrainableSpec): TrainableTensor[] {
  return parameters.flatMap((parameter): TrainableTensor[] => {
    if (isTrained(trainable, parameter)) return [parameter];
    if (trainable.method === 'full' || !trainable.targets.has(parameter.name)) return [];
    return describeLora(parameter, trainable.rank).map(matrix => ({ ...matrix, kind: 'lora' as const }));
  });
}
