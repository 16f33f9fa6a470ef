/** @file A linear layer and what is trained of it -> its adapter in a training or evaluation graph. */
import type { DataType, Value } from '../graph/graph.ts';
import { divide, multiply } from '../graph/operations/elementwise.ts';
import { addProduct, matmul } from '../graph/operations/matmul.ts';
import { mergedNorms } from '../graph/operations/mergedNorms.ts';
import type { Adapter, DropoutInputs, FrozenProduct } from '../nn/adapter.ts';
import type { ParameterInfo } from './architecture.ts';
import { dropoutInputNames } from './dropoutInputs.ts';
import { fedInputNames, loraParameterNames, magnitudeName, moduleOf, singularName } from './loraNames.ts';
import type { LoraSpec } from './trainableSpec.ts';

/** What a graph lends to its adapters. */
export interface AdapterGraph {
  /** The graph input of that name, made when first asked for. */
  input(name: string, shape: readonly number[], type?: DataType | 'float'): Value;
  /** Rows of a whole batch, B*T. */
  readonly tokens: number;
  /** Of a value with an element a token, those of the supervised tokens. */
  selectRows(perToken: Value): Value;
}

export interface FrozenLayer {
  readonly weight: ParameterInfo;
  readonly product: FrozenProduct;
  /** The weight in floats, if it lies so. */
  readonly matrix?: Value | undefined;
}

/** The layer with the adapter that stays as it is beneath, if there is one: part of its frozen product. */
export function stackLayer(graph: AdapterGraph, spec: LoraSpec, layer: FrozenLayer): FrozenLayer {
  const { weight, product } = layer;
  const module = moduleOf(weight);
  const rank = spec.stacked?.get(module);
  if (rank === undefined) return layer;
  const [out, inner] = weight.shape as [number, number];
  const a = graph.input(fedInputNames.stackedA(module), [rank, inner]);
  const b = graph.input(fedInputNames.stackedB(module), [out, rank]);
  return {
    weight,
    product: x => addProduct(product(x), matmul(x, a, { transposeB: true }), b, { transposeB: true }),
  };
}

/** The adapter of a layer that reads x [M, in]; undefined where the layer has none. */
export function buildAdapter(graph: AdapterGraph, spec: LoraSpec, layer: FrozenLayer, x: Value): Adapter | undefined {
  const { weight, matrix } = layer;
  if (!spec.targets.has(weight.name)) return undefined;
  const { rank, scale, mergesWeights, drops, gains, adaptsRank } = spec;
  const [out, inner] = weight.shape as [number, number];
  const names = loraParameterNames(moduleOf(weight));
  const rows = graph.input(names.a, [rank, inner]);
  const a = adaptsRank ? multiply(rows, graph.input(singularName(moduleOf(weight)), [rank, 1])) : rows;
  const b = graph.input(names.b, [out, rank]);
  return {
    a,
    b,
    scale,
    mergeInto: mergesWeights && !drops && !gains ? matrix : undefined,
    dropout: drops ? addDropout(graph, weight, x) : undefined,
    gain: gains && addGain(graph, spec, layer, a, b),
  };
}

function addDropout(graph: AdapterGraph, weight: ParameterInfo, x: Value): DropoutInputs {
  const { tokens } = graph;
  const width = weight.shape[1]!;
  const masks = graph.input(dropoutInputNames.masks(width), [tokens, width]);
  const rows = graph.input(dropoutInputNames.rows(moduleOf(weight)), [tokens], 'int32');
  return { masks, rows: x.shape[0] === tokens ? rows : graph.selectRows(rows) };
}

/** DoRA's gain, magnitude / length of each row of W + scale B A, or what is fed in its place. */
function addGain(graph: AdapterGraph, spec: LoraSpec, { weight, product }: FrozenLayer, a: Value, b: Value): Value {
  const module = moduleOf(weight);
  const perOutput = (name: string): Value => graph.input(name, weight.shape.slice(0, 1));
  if (spec.gains === 'fed') return perOutput(fedInputNames.gain(module));
  const norms = mergedNorms(perOutput(fedInputNames.weightSquares(module)), product(a), a, b, spec.scale);
  return divide(perOutput(magnitudeName(module)), norms);
}
