/**
 * @file The symbolic graph: typed values, the operations that made them, and the contract every operation keeps.
 * A graph is built once by calling builders (`matmul(x, w)`), differentiated by `gradients.ts` and written as ONNX by
 * `emitOnnx.ts`. Building computes nothing.
 */
import type { OnnxAttribute } from '../formats/onnxModel.ts';
import { formatShape, type Shape } from './shape.ts';

export type FloatType = 'float32' | 'float64';
/** float16, uint8 and int8 are how weights are stored; operations turn them into the graph's float type. */
export type DataType = FloatType | 'float16' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool';

export interface TensorType {
  readonly dtype: DataType;
  readonly shape: Shape;
}

export interface ConstantData {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Where a value comes from. */
export type ValueSource =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: ConstantData }
  | { readonly kind: 'node'; readonly node: Node; readonly outputIndex: number };

/** A tensor that will be there when the graph runs. */
export class Value implements TensorType {
  readonly graph: Graph;
  readonly dtype: DataType;
  readonly shape: Shape;
  readonly source: ValueSource;

  constructor(graph: Graph, type: TensorType, source: ValueSource) {
    this.graph = graph;
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.source = source;
  }
}

/** One use of an operation. Its attributes live in the closures, so that a list of nodes needs no type parameter. */
export interface Node {
  readonly operation: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** @param inputs stand for the node's own where those are to be computed again */
  gradient(outputGradients: readonly (Value | undefined)[], inputs?: readonly Value[]): readonly (Value | undefined)[];
  /** The same operation once more, on other values of the same types. */
  repeat(inputs: readonly Value[]): readonly Value[];
  /** See `Operation.addTo`. */
  readonly addTo?: ((sum: Value) => Value | undefined) | undefined;
  lower(emit: OnnxEmitter, inputs: readonly Operand[]): readonly string[];
}

/** An input of a node being lowered: its ONNX name and what it is. */
export interface Operand extends TensorType {
  readonly name: string;
}

/**
 * The contract of an operation. Each stands in one file with its builder; `operationTable.ts` lists them all, and the
 * test of that table asks every operation for its shape rule, its values and its gradient.
 *
 * 1. `infer` is the shape rule: output types from input types. It throws `internal:` on types that do not fit.
 * 2. `gradient` returns, for each input, the derivative of a scalar with respect to it, given the derivatives with
 *    respect to the outputs (undefined where an output has no influence). Undefined stands for no gradient: integer
 *    inputs, or nothing flows. The derivative has the input's shape. A rule may compute more than is asked for: what
 *    nothing reads is left out of the ONNX graph, node by node.
 * 3. An operation without derivative (`gradient: 'none'`) ends the way back: integer results, and the gradient
 *    operations themselves (there are no second derivatives).
 * 4. `lower` writes the operation as ONNX nodes and returns the names of its outputs. Operators are ONNX's standard
 *    ones, so that every execution provider has them; only cached decoding uses ONNX Runtime's own.
 * 5. A gradient that recomputes what the forward pass threw away must read its inputs through `emit.after(input,
 *    outputGradient)`: otherwise ONNX Runtime merges the recomputation with the forward pass and keeps the result.
 */
export interface Operation<Attributes> {
  readonly name: string;
  infer(inputs: readonly TensorType[], attributes: Attributes): readonly TensorType[];
  readonly gradient: GradientRule<Attributes> | 'none';
  /** Sum plus the operation's only output in one pass, where that is possible; used where gradients of one value meet. */
  addTo?(sum: Value, inputs: readonly Value[], attributes: Attributes): Value | undefined;
  lower(emit: OnnxEmitter, inputs: readonly Operand[], attributes: Attributes): readonly string[];
}

export type GradientRule<Attributes> = (use: {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputGradients: readonly (Value | undefined)[];
}) => readonly (Value | undefined)[];

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
}

/** What a lowering may ask for. Every method returns the ONNX name of a tensor. */
export interface OnnxEmitter {
  readonly floatType: FloatType;
  node(type: string, inputs: readonly string[], options?: NodeOptions): string;
  nodeWithOutputs(type: string, inputs: readonly string[], outputCount: number, options?: NodeOptions): string[];
  /** A constant of the graph's float type. */
  floats(values: readonly number[], shape?: readonly number[]): string;
  /** A constant of int64, one-dimensional unless said otherwise. */
  ints(values: readonly number[], shape?: readonly number[]): string;
  constant(data: ConstantData): string;
  /** The shape as an int64 tensor, its symbols looked up when the graph runs. */
  shapeTensor(shape: Shape): string;
  reshape(tensor: string, shape: Shape): string;
  cast(tensor: string, dtype: DataType): string;
  /**
   * `tensor` unchanged and uncopied, but not before every dependency is there. It is a Reshape whose shape waits: neither
   * make nor read it by a Reshape, or ONNX Runtime fuses the two and forgets the dependency.
   */
  after(tensor: string, shape: Shape, ...dependencies: readonly string[]): string;
  /** Emits once per graph what several nodes share (masks, for example). */
  once(key: string, emit: () => string): string;
}

/** A graph under construction, in 32 or 64 bit. */
export class Graph {
  readonly floatType: FloatType;
  /** In the order of building, which is an order of execution. */
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Value>();
  private readonly constants = new Map<string, Value>();

  constructor(floatType: FloatType = 'float32') {
    this.floatType = floatType;
  }

  /** A tensor that is fed at every run. */
  input(name: string, dtype: DataType | 'float', shape: Shape): Value {
    if (this.inputs.has(name)) throw new Error(`internal: graph input ${name}: expected once, got twice`);
    const type: TensorType = { dtype: dtype === 'float' ? this.floatType : dtype, shape };
    const value = new Value(this, type, { kind: 'input', name });
    this.inputs.set(name, value);
    return value;
  }

  /** A tensor that never changes; equal constants are one value. */
  constant(dtype: DataType | 'float', values: readonly number[], shape: readonly number[] = [values.length]): Value {
    const data: ConstantData = { dtype: dtype === 'float' ? this.floatType : dtype, shape, values };
    const key = `${data.dtype}|${shape.join()}|${values.join()}`;
    const known = this.constants.get(key);
    if (known) return known;
    const value = new Value(this, data, { kind: 'constant', data });
    this.constants.set(key, value);
    return value;
  }

  scalar(value: number): Value {
    return this.constant('float', [value], []);
  }
}

/** Records one use of an operation and returns its outputs. For the builders beside the operations. */
export function applyOperation<Attributes>(
  operation: Operation<Attributes>,
  inputs: readonly Value[],
  attributes: Attributes,
): readonly Value[] {
  const graph = inputs[0]?.graph;
  if (!graph || inputs.some(input => input.graph !== graph)) {
    throw new Error(`internal: ${operation.name}: expected inputs of one graph`);
  }
  const outputs: Value[] = [];
  const node: Node = {
    operation: operation.name,
    inputs,
    outputs,
    gradient: (outputGradients, given = inputs) =>
      operation.gradient === 'none' ? [] : operation.gradient({ inputs: given, outputs, attributes, outputGradients }),
    repeat: given => applyOperation(operation, given, attributes),
    addTo: operation.addTo && (sum => operation.addTo?.(sum, inputs, attributes)),
    lower: (emit, operands) => operation.lower(emit, operands, attributes),
  };
  for (const [outputIndex, type] of operation.infer(inputs, attributes).entries()) {
    outputs.push(new Value(graph, type, { kind: 'node', node, outputIndex }));
  }
  graph.nodes.push(node);
  return outputs;
}

/** True for a constant all of whose elements are `number`. */
export function isConstant(value: Value, number: number): boolean {
  return value.source.kind === 'constant' && value.source.data.values.every(element => element === number);
}

/** Describes operand types in an `internal:` message. */
export function formatTypes(types: readonly TensorType[]): string {
  return types.map(type => `${type.dtype}${formatShape(type.shape)}`).join(', ');
}
