/**
 * @file A computation as ONNX describes it -> the bytes of a .onnx file, which ONNX Runtime loads from memory.
 * Field numbers follow onnx.proto3. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
import { ProtobufWriter } from './protobufWriter.ts';

/** Element types by their number in `TensorProto.DataType`. */
export const onnxElementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;

export type OnnxElementType = keyof typeof onnxElementTypes;

/** `int`s are whole numbers or lists of them; `{ float }` is told apart because 1 would read as an int. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly type: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  /** '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxInitializer {
  readonly name: string;
  readonly elementType: OnnxElementType;
  readonly shape: readonly number[];
  /** float16 as its bits. */
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array | Uint16Array;
  /** The data is handed over beside the model, as a file of the initializer's name: models end at 2 GiB. */
  readonly isExternal?: boolean | undefined;
  /** The data lies in a file beside the model: `data` is not looked at. */
  readonly place?: { readonly file: string; readonly offset: number; readonly bytes: number } | undefined;
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly elementType: OnnxElementType;
  /** A string names a dimension that is known only when the model runs. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  /** In an order in which every input is there before it is used. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

const irVersion = 10;
const onnxOpset = 24;

/** The model as .onnx bytes, initializers inside. */
export function encodeOnnxModel(model: OnnxModel): Uint8Array {
  const graph = new ProtobufWriter();
  for (const [index, node] of model.nodes.entries()) graph.message(1, encodeNode(node, index));
  graph.text(2, 'graph');
  for (const initializer of model.initializers) graph.message(5, encodeInitializer(initializer));
  for (const input of model.inputs) graph.message(11, encodeValueInfo(input));
  for (const output of model.outputs) graph.message(12, encodeValueInfo(output));
  return new ProtobufWriter()
    .int(1, irVersion)
    .text(2, 'tuning-fork')
    .message(7, graph)
    .message(8, encodeOperatorSet('', onnxOpset))
    .message(8, encodeOperatorSet('com.microsoft', 1))
    .finish();
}

function encodeOperatorSet(domain: string, version: number): ProtobufWriter {
  return new ProtobufWriter().text(1, domain).int(2, version);
}

function encodeNode(node: OnnxNode, index: number): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.text(3, `${node.type}_${index}`).text(4, node.type);
  for (const [name, value] of Object.entries(node.attributes)) writer.message(5, encodeAttribute(name, value));
  if (node.domain !== '') writer.text(7, node.domain);
  return writer;
}

function encodeAttribute(name: string, value: OnnxAttribute): ProtobufWriter {
  const writer = new ProtobufWriter().text(1, name);
  if (typeof value === 'number') return writer.int(3, value).int(20, 2);
  if (typeof value === 'string') return writer.text(4, value).int(20, 3);
  if ('float' in value) return writer.float(2, value.float).int(20, 1);
  for (const item of value) writer.int(8, item);
  return writer.int(20, 7);
}

function encodeInitializer(initializer: OnnxInitializer): ProtobufWriter {
  const { data } = initializer;
  const writer = new ProtobufWriter();
  for (const dim of initializer.shape) writer.int(1, dim);
  writer.int(2, onnxElementTypes[initializer.elementType]).text(8, initializer.name);
  if (!initializer.isExternal && !initializer.place)
    return writer.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const { file, offset, bytes } = initializer.place ?? { file: initializer.name, offset: 0, bytes: data.byteLength };
  const place = { location: file, offset: String(offset), length: String(bytes) };
  for (const [key, value] of Object.entries(place))
    writer.message(13, new ProtobufWriter().text(1, key).text(2, value));
  return writer.int(14, 1);
}

function encodeValueInfo(value: OnnxValueInfo): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const dim of value.shape) {
    const written = new ProtobufWriter();
    shape.message(1, typeof dim === 'string' ? written.text(2, dim) : written.int(1, dim));
  }
  const tensor = new ProtobufWriter().int(1, onnxElementTypes[value.elementType]).message(2, shape);
  return new ProtobufWriter().text(1, value.name).message(2, new ProtobufWriter().message(1, tensor));
}

/** The model with these inputs as initializers, whose data stays outside of its bytes. */
export function fixInputs(
  model: OnnxModel,
  arrays: readonly Pick<OnnxInitializer, 'name' | 'elementType' | 'shape' | 'data'>[],
): OnnxModel {
  const names = new Set(arrays.map(({ name }) => name));
  return {
    ...model,
    inputs: model.inputs.filter(({ name }) => !names.has(name)),
    initializers: [...model.initializers, ...arrays.map(array => ({ ...array, isExternal: true }))],
  };
}
