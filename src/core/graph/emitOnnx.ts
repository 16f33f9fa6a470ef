/**
 * @file Graph -> ONNX model: lowers the nodes that the asked outputs need, gives names, and drops what nothing reads.
 */
import { toFloat16Bits } from '../formats/encodeFloats.ts';
import {
  type OnnxElementType,
  type OnnxInitializer,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  onnxElementTypes,
} from '../formats/onnxModel.ts';
import type { ConstantData, DataType, FloatType, Graph, NodeOptions, OnnxEmitter, Value } from './graph.ts';
import { coefficientOf, type Shape, symbolsOf } from './shape.ts';

/** The ONNX model that computes `outputs`; its inputs are those graph inputs that the outputs need. */
export function emitOnnx(graph: Graph, outputs: ReadonlyMap<string, Value>): OnnxModel {
  const needed = findNeededNodes(graph, outputs.values());
  const emitter = new ModelEmitter(graph);
  for (const node of graph.nodes) {
    if (!needed.has(node)) continue;
    const operands = node.inputs.map(input => ({
      name: emitter.nameOf(input),
      dtype: input.dtype,
      shape: input.shape,
    }));
    const names = node.lower(emitter, operands);
    for (const [index, output] of node.outputs.entries()) emitter.setName(output, names[index]!);
  }
  return emitter.finish(outputs);
}

function findNeededNodes(graph: Graph, outputs: Iterable<Value>): Set<unknown> {
  const needed = new Set<unknown>();
  const addProducer = (value: Value): void => {
    if (value.source.kind === 'node') needed.add(value.source.node);
  };
  for (const output of outputs) addProducer(output);
  for (const node of [...graph.nodes].reverse()) if (needed.has(node)) node.inputs.forEach(addProducer);
  return needed;
}

class ModelEmitter implements OnnxEmitter {
  readonly floatType: FloatType;
  private readonly graph: Graph;
  private readonly emitted: OnnxNode[] = [];
  private readonly initializers = new Map<string, OnnxInitializer>();
  private readonly names = new Map<Value, string>();
  private readonly shared = new Map<string, string>();
  private nextId = 0;

  constructor(graph: Graph) {
    this.graph = graph;
    this.floatType = graph.floatType;
  }

  nameOf(value: Value): string {
    if (value.source.kind === 'input') return value.source.name;
    if (value.source.kind === 'constant') return this.constant(value.source.data);
    const name = this.names.get(value);
    if (name === undefined) throw new Error('internal: lowering: a value is used before it is made');
    return name;
  }

  setName(value: Value, name: string): void {
    this.names.set(value, name);
  }

  node(type: string, inputs: readonly string[], options: NodeOptions = {}): string {
    return this.nodeWithOutputs(type, inputs, 1, options)[0]!;
  }

  nodeWithOutputs(type: string, inputs: readonly string[], outputCount: number, options: NodeOptions = {}): string[] {
    const outputs = Array.from({ length: outputCount }, () => `t${this.nextId++}`);
    this.emitted.push({ type, domain: options.domain ?? '', inputs, outputs, attributes: options.attributes ?? {} });
    return outputs;
  }

  floats(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.constant({ dtype: this.floatType, shape, values });
  }

  ints(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.constant({ dtype: 'int64', shape, values });
  }

  constant(constant: ConstantData): string {
    return this.once(`constant|${constant.dtype}|${constant.shape.join()}|${constant.values.join()}`, () => {
      const name = `c${this.nextId++}`;
      this.initializers.set(name, { name, elementType: constant.dtype, shape: constant.shape, data: toData(constant) });
      return name;
    });
  }

  shapeTensor(shape: Shape): string {
    if (shape.every(dim => typeof dim === 'number')) return this.ints(shape);
    return this.once(`shape|${shape.join()}`, () => {
      const dims = shape.map(dim =>
        symbolsOf(dim).reduce(
          (product, symbol) => this.node('Mul', [product, this.symbolTensor(symbol)]),
          this.ints([coefficientOf(dim)]),
        ),
      );
      return this.node('Concat', dims, { attributes: { axis: 0 } });
    });
  }

  reshape(tensor: string, shape: Shape): string {
    const unknown = shape.filter(dim => typeof dim === 'string').length;
    const target =
      unknown === 1 && !shape.includes(0)
        ? this.ints(shape.map(dim => (typeof dim === 'string' ? -1 : dim)))
        : this.shapeTensor(shape);
    return this.node('Reshape', [tensor, target]);
  }

  cast(tensor: string, dtype: DataType): string {
    return this.node('Cast', [tensor], { attributes: { to: onnxElementTypes[dtype] } });
  }

  /** A Reshape to the same shape copies nothing; its shape waits for the dependencies, whose first elements count 0. */
  after(tensor: string, shape: Shape, ...dependencies: readonly string[]): string {
    const waiting = dependencies
      .map(dependency => this.zeroOf(dependency))
      .reduce((sum, zero) => this.node('Add', [sum, zero]), this.shapeTensor(shape));
    return this.node('Reshape', [tensor, waiting]);
  }

  /** [1] int64: 0, once `dependency` is there. */
  private zeroOf(dependency: string): string {
    return this.once(`after|${dependency}`, () => {
      const first = this.node('Slice', [
        this.node('Reshape', [dependency, this.ints([-1])]),
        this.ints([0]),
        this.ints([1]),
      ]);
      const never = this.constant({ dtype: 'bool', shape: [1], values: [0] });
      return this.cast(this.node('And', [this.cast(first, 'bool'), never]), 'int64');
    });
  }

  once(key: string, emit: () => string): string {
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    const name = emit();
    this.shared.set(key, name);
    return name;
  }

  finish(outputs: ReadonlyMap<string, Value>): OnnxModel {
    const outputInfos: OnnxValueInfo[] = [];
    const renamed = new Map<string, string>();
    const madeByNodes = new Set(this.emitted.flatMap(node => node.outputs));
    for (const [name, value] of outputs) {
      const made = this.nameOf(value);
      // A value that is no node's own output, or goes out twice, is copied; any other just takes the output's name.
      if (value.source.kind === 'node' && !renamed.has(made) && madeByNodes.has(made)) {
        renamed.set(made, name);
      } else {
        this.emitted.push({ type: 'Identity', domain: '', inputs: [made], outputs: [name], attributes: {} });
      }
      outputInfos.push(toValueInfo(name, value));
    }
    const rename = (name: string): string => renamed.get(name) ?? name;
    const nodes = this.emitted.map(node => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    }));
    return this.dropUnread(nodes, outputInfos);
  }

  private dropUnread(nodes: readonly OnnxNode[], outputs: readonly OnnxValueInfo[]): OnnxModel {
    const read = new Set(outputs.map(output => output.name));
    const kept: OnnxNode[] = [];
    for (const node of [...nodes].reverse()) {
      if (!node.outputs.some(output => read.has(output))) continue;
      for (const input of node.inputs) read.add(input);
      kept.push(node);
    }
    return {
      nodes: putLastNodesFirst(kept.reverse()),
      initializers: [...this.initializers.values()].filter(initializer => read.has(initializer.name)),
      inputs: [...this.graph.inputs]
        .filter(([name]) => read.has(name))
        .map(([name, value]) => toValueInfo(name, value)),
      outputs,
    };
  }

  /** The run-time size of a symbol, read off the first graph input that has it as a whole dimension. [1] int64 */
  private symbolTensor(symbol: string): string {
    return this.once(`symbol|${symbol}`, () => {
      for (const [name, { shape }] of this.graph.inputs) {
        const axis = shape.indexOf(symbol);
        if (axis >= 0) return this.node('Shape', [name], { attributes: { start: axis, end: axis + 1 } });
      }
      throw new Error(`internal: lowering: expected a graph input with a dimension named ${symbol}`);
    });
  }
}

/**
 * The nodes with those that nothing reads moved to the end, in reverse. ONNX Runtime executes what the last such node
 * needs first, then the one before it: left as they are, all gradients of weights would wait for the end of the way
 * back, and hold every layer's output gradient until then.
 */
function putLastNodesFirst(nodes: readonly OnnxNode[]): OnnxNode[] {
  const read = new Set(nodes.flatMap(node => node.inputs));
  const isRead = (node: OnnxNode): boolean => node.outputs.some(output => read.has(output));
  return [...nodes.filter(isRead), ...nodes.filter(node => !isRead(node)).reverse()];
}

function toValueInfo(name: string, value: Value): OnnxValueInfo {
  return { name, elementType: value.dtype satisfies OnnxElementType, shape: value.shape };
}

function toData({ dtype, values }: ConstantData): OnnxInitializer['data'] {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return Float64Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, BigInt);
    case 'int8':
      return Int8Array.from(values);
    case 'bool':
    case 'uint8':
      return Uint8Array.from(values);
    case 'float16':
      return toFloat16Bits(Float32Array.from(values));
  }
}
