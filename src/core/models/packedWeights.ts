/**
 * @file The weights of a model that lie in quantized blocks on disk -> what a decoding graph keeps of them: packed codes,
 * scales and offsets. They never change and are no inputs of a run, so that kernels may lay them out as they like.
 */
import { type PackedForm, type PackedMatrix, packMatrix } from '../formats/packedMatrix.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import { findBlockForm } from '../formats/weightBlocks.ts';
import type { Model } from './findArchitecture.ts';
import { checkStoredShape, listWeightTensors, type ParameterTensor } from './parameterTensors.ts';

/** By the name of a weight, or of a shard of one; what is not named is float. */
export type PackedForms = ReadonlyMap<string, PackedForm>;

/** An array of a packed weight, by the name that the graph gives it. */
export interface PackedArray {
  readonly name: string;
  readonly type: 'uint8' | 'float32';
  readonly shape: readonly number[];
  readonly data: Uint8Array | Float32Array;
}

export function packedNames(name: string): {
  readonly codes: string;
  readonly scales: string;
  readonly offsets: string;
} {
  return { codes: `${name}.codes`, scales: `${name}.scales`, offsets: `${name}.offsets` };
}

/** The weights of linear layers, embedding and head that the source has in blocks. */
export function findPackedForms(model: Model, source: TensorSource): PackedForms {
  const forms = new Map<string, PackedForm>();
  for (const tensor of listWeightTensors(model)) {
    if (tensor.kind === 'norm' || tensor.kind === 'bias') continue;
    const stored = (tensor.shard?.of ?? tensor).name;
    const form = source.names.includes(stored) ? findBlockForm(source.info(stored).dtype) : undefined;
    if (form) forms.set(tensor.name, form);
  }
  return forms;
}

/** The blocks of a weight, or of a shard. @throws TuneError `model-invalid` when its shape is not what the config says */
export function readPackedMatrix(source: TensorSource, tensor: ParameterTensor, path?: string): PackedMatrix {
  checkStoredShape(source, tensor, path);
  const { name } = tensor.shard?.of ?? tensor;
  const rows = tensor.shard && { first: tensor.shard.firstRow, count: tensor.shape[0]! };
  return packMatrix(source.info(name).dtype, source.readBytes(name, rows));
}

/** The arrays that the graph holds; offsets of linear layers are fed with adapters instead. */
export function listPackedArrays(
  tensor: ParameterTensor,
  { form, codes, scales, offsets }: PackedMatrix,
): PackedArray[] {
  const [rows, width] = tensor.shape as [number, number];
  const names = packedNames(tensor.name);
  const blocks = width / form.blockElements;
  const arrays: PackedArray[] = [
    { name: names.codes, type: 'uint8', shape: [rows, blocks, codes.length / (rows * blocks)], data: codes },
    { name: names.scales, type: 'float32', shape: [rows, blocks], data: scales },
  ];
  if (offsets === undefined || tensor.kind === 'linear') return arrays;
  return [...arrays, { name: names.offsets, type: 'float32', shape: [rows, blocks], data: offsets }];
}
