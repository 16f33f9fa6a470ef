/** @file The inputs that a decoding graph has beside tokens, cache and weights in floats: packed weights and adapters. */
import { countCodeBytes } from '../formats/packedMatrix.ts';
import type { Graph, Value } from '../graph/graph.ts';
import type { PackedAddition } from '../graph/operations/packedLinear.ts';
import type { PackedTable } from '../graph/operations/packedRows.ts';
import { fedInputNames, loraParameterNames } from './loraNames.ts';
import { type PackedForms, packedNames } from './packedWeights.ts';
import type { ParameterTensor } from './parameterTensors.ts';

/** The arrays of packed weights, by the weight's name; offsets of linear layers come with their adapters. */
export function addPackedWeights(
  graph: Graph,
  weights: readonly ParameterTensor[],
  forms: PackedForms,
): ReadonlyMap<string, PackedTable> {
  const packed = new Map<string, PackedTable>();
  for (const { name, kind, shape } of weights) {
    const form = forms.get(name);
    if (!form) continue;
    const [out, inner] = shape as [number, number];
    const blocks = inner / form.blockElements;
    const names = packedNames(name);
    packed.set(name, {
      form,
      codes: graph.input(names.codes, 'uint8', [out, blocks, countCodeBytes(form)]),
      scales: graph.input(names.scales, 'float', [out, blocks]),
      offsets: form.hasMinimum && kind !== 'linear' ? graph.input(names.offsets, 'float', [out, blocks]) : undefined,
    });
  }
  return packed;
}

export interface LoraInputs extends PackedAddition {
  readonly gain?: Value | undefined;
}

/** A and B of each layer that has an adapter; of one without, B alone where it brings the offsets of packed blocks. */
export function addLoraInputs(
  graph: Graph,
  linearModules: ReadonlyMap<string, ParameterTensor>,
  loraModules: readonly string[],
  { packed, gains }: { readonly packed: ReadonlyMap<string, PackedTable>; readonly gains: boolean },
): ReadonlyMap<string, LoraInputs> {
  const unknown = loraModules.find(module => !linearModules.has(module));
  if (unknown !== undefined) throw new Error(`internal: decoding graph: expected a linear layer, got ${unknown}`);
  const adapted = new Set(loraModules);
  const inputs = new Map<string, LoraInputs>();
  for (const [module, { name, shape }] of linearModules) {
    const [out, inner] = shape as [number, number];
    const form = packed.get(name)?.form;
    const blocks = form?.hasMinimum ? inner / form.blockElements : 0;
    const hasAdapter = adapted.has(module);
    if (!hasAdapter && blocks === 0) continue;
    const names = loraParameterNames(module);
    const rank = `rank_${inputs.size}`;
    const a = hasAdapter ? graph.input(names.a, 'float', [rank, inner]) : undefined;
    const columns = !hasAdapter ? blocks : blocks === 0 ? rank : `${rank}_and_offsets`;
    const b = graph.input(names.b, 'float', [out, columns]);
    const gain = gains && hasAdapter ? graph.input(fedInputNames.gain(module), 'float', [out]) : undefined;
    inputs.set(module, { a, b, gain });
  }
  return inputs;
}
