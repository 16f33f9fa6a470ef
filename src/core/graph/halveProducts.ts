/**
 * @file An ONNX model in float32 -> the same with its matrix products in half precision, for devices that multiply halves
 * faster: operands are rounded to float16 where a product reads them, its result becomes float32 again. Everything else
 * (norms, softmax, loss, sums of gradients) stays in float32, and so do weights and what is trained, outside of the graph.
 * @see https://arxiv.org/abs/1710.03740 (mixed precision), whose loss scaling is in `optim/lossScale.ts`
 */
import { type OnnxElementType, type OnnxModel, type OnnxNode, onnxElementTypes } from '../formats/onnxModel.ts';

const products: ReadonlySet<string> = new Set(['Gemm', 'MatMul']);

/**
 * @param multiplies float32 rounds the same operands and results and multiplies in float32: ONNX Runtime's CPU has no
 *   products of halves and would, left to itself, leave the rounding out too
 */
export function halveProducts(model: OnnxModel, multiplies: 'float16' | 'float32'): OnnxModel {
  const nodes: OnnxNode[] = [];
  const halves = new Map<string, string>();
  const roundings = new Map<string, string>();
  let made = 0;
  const add = (type: string, inputs: readonly string[], output: string, attributes: OnnxNode['attributes']): string => {
    nodes.push({ type, domain: '', inputs, outputs: [output], attributes });
    return output;
  };
  const name = (): string => `half ${made++}`;
  const cast = (tensor: string, type: OnnxElementType, output = name()): string =>
    add('Cast', [tensor], output, { to: onnxElementTypes[type] });
  const halve = (tensor: string): string => {
    const half = halves.get(tensor) ?? cast(tensor, 'float16');
    halves.set(tensor, half);
    return half;
  };
  const operand = (tensor: string): string => {
    if (multiplies === 'float16') return halve(tensor);
    const rounded = roundings.get(tensor) ?? cast(halve(tensor), 'float32');
    roundings.set(tensor, rounded);
    return rounded;
  };
  for (const node of model.nodes) {
    const [a, b, addend] = node.inputs;
    if (node.domain !== '' || !products.has(node.type)) {
      nodes.push(node);
      continue;
    }
    const whole = add(node.type, [operand(a!), operand(b!)], name(), node.attributes);
    const product = multiplies === 'float16' ? whole : cast(whole, 'float16');
    const [output] = node.outputs;
    // A sum of many products loses too much in half precision.
    if (addend === undefined) cast(product, 'float32', output);
    else add('Add', [cast(product, 'float32'), addend], output!, {});
  }
  return { ...model, nodes };
}
