/** @file The rotary tables of a model as graph inputs: a pair for each of its ropes. */
import type { Graph, Value } from '../graph/graph.ts';
import { makeRopeTables, type RopeSettings } from '../nn/rope.ts';
import { steadyContextTokens } from '../nn/ropeScaling.ts';
import type { LayerAttention, ModelConfig } from './architecture.ts';

/** By a layer's `rope`. */
export const ropeInputNames = {
  global: { cosines: 'rope_cosines', sines: 'rope_sines' },
  local: { cosines: 'local_rope_cosines', sines: 'local_rope_sines' },
} as const;

type RopeName = keyof typeof ropeInputNames;

export interface RopeTable {
  /** The graph input's. */
  readonly name: string;
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** What must be fed for contexts of up to `positions` tokens. */
export function listRopeTables(config: ModelConfig, positions: number): RopeTable[] {
  return listRopes(config).flatMap(([name, settings]) => {
    const { cosines, sines, shape } = makeRopeTables(settings, positions);
    const names = ropeInputNames[name];
    return [
      { name: names.cosines, data: cosines, shape },
      { name: names.sines, data: sines, shape },
    ];
  });
}

/** The most tokens that a prompt and its answer may have together over one cache. */
export function countAnswerableTokens({ rope, maxContextTokens }: ModelConfig): number {
  return steadyContextTokens(rope.scaling, maxContextTokens);
}

/** The inputs of a graph, [positions, turned elements / 2] each, by a layer's `rope`; none for layers without. */
export function addRopeInputs(
  graph: Graph,
  config: ModelConfig,
  positions: string,
): (rope: LayerAttention['rope']) => { readonly cosines: Value; readonly sines: Value } | undefined {
  const tables = new Map<LayerAttention['rope'], { readonly cosines: Value; readonly sines: Value }>();
  for (const [name, { size }] of listRopes(config)) {
    const names = ropeInputNames[name];
    const cosines = graph.input(names.cosines, 'float', [positions, size / 2]);
    tables.set(name, { cosines, sines: graph.input(names.sines, 'float', [positions, size / 2]) });
  }
  return rope => tables.get(rope);
}

function listRopes({ rope, localRope }: ModelConfig): [RopeName, RopeSettings][] {
  return localRope === undefined
    ? [['global', rope]]
    : [
        ['global', rope],
        ['local', localRope],
      ];
}
