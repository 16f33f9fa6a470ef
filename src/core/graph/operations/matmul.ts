/** @file Matrix products over the last two axes, with transposed operands and a factor. */
import { applyOperation, formatTypes, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { broadcastShapes, dimAt, isSameShape, type Shape } from '../shape.ts';
import { sumToShape } from './broadcast.ts';

export interface MatmulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly factor: number;
}

export const matmulOperation: Operation<MatmulAttributes> = {
  name: 'matmul',
  infer([a, b], { transposeA, transposeB }) {
    const [rows, inner] = transposeA ? [-1, -2] : [-2, -1];
    const [otherInner, columns] = transposeB ? [-1, -2] : [-2, -1];
    if (a!.shape.length < 2 || b!.shape.length < 2 || dimAt(a!.shape, inner!) !== dimAt(b!.shape, otherInner!)) {
      throw new Error(`internal: matmul: expected fitting matrices, got ${formatTypes([a!, b!])}`);
    }
    const batch = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return [{ dtype: a!.dtype, shape: [...batch, dimAt(a!.shape, rows!), dimAt(b!.shape, columns!)] }];
  },
  gradient: ({ inputs: [a, b], attributes, outputGradients: [gradient] }) =>
    gradient ? differentiateProduct(a!, b!, attributes, gradient) : [],
  addTo: (sum, [a, b], attributes) => (sum.shape.length === 2 ? addProduct(sum, a!, b!, attributes) : undefined),
  lower: (emit, [a, b], attributes) => [emitMatmul(emit, a!, b!, attributes)],
};

function differentiateProduct(
  a: Value,
  b: Value,
  { transposeA, transposeB, factor }: MatmulAttributes,
  gradient: Value,
): [a: Value, b: Value] {
  const gradientA = transposeA
    ? matmul(b, gradient, { transposeA: transposeB, transposeB: true, factor })
    : matmul(gradient, b, { transposeB: !transposeB, factor });
  const gradientB = transposeB
    ? matmul(gradient, a, { transposeA: true, transposeB: transposeA, factor })
    : matmul(a, gradient, { transposeA: !transposeA, factor });
  return [sumToShape(gradientA, a.shape), sumToShape(gradientB, b.shape)];
}

/** a [..., M, K] x b [..., K, N] x factor -> [..., M, N]; a transposed operand is given with its last axes swapped. */
export function matmul(a: Value, b: Value, options: Partial<MatmulAttributes> = {}): Value {
  const attributes = { transposeA: false, transposeB: false, factor: 1, ...options };
  return applyOperation(matmulOperation, [a, b], attributes)[0]!;
}

/** addend [M, N] + a x b x factor, of matrices; one pass where `add(addend, matmul(a, b))` is two. */
export const addProductOperation: Operation<MatmulAttributes> = {
  name: 'addProduct',
  infer([addend, a, b], attributes) {
    const [product] = matmulOperation.infer([a!, b!], attributes);
    if (a!.shape.length !== 2 || !isSameShape(addend!.shape, product!.shape)) {
      throw new Error(`internal: addProduct: expected fitting matrices, got ${formatTypes([addend!, a!, b!])}`);
    }
    return [product!];
  },
  gradient({ inputs: [, a, b], attributes, outputGradients: [gradient] }) {
    return gradient ? [gradient, ...differentiateProduct(a!, b!, attributes, gradient)] : [];
  },
  lower: (emit, [addend, a, b], attributes) => [emitMatmul(emit, a!, b!, { ...attributes, addend: addend!.name })],
};

/** addend [M, N] + a [M, K] x b [K, N] x factor; a transposed operand is given with its axes swapped. */
export function addProduct(addend: Value, a: Value, b: Value, options: Partial<MatmulAttributes> = {}): Value {
  const attributes = { transposeA: false, transposeB: false, factor: 1, ...options };
  return applyOperation(addProductOperation, [addend, a, b], attributes)[0]!;
}

/** The ONNX nodes of a product: Gemm for matrices (which takes an addend too), else transposes that ONNX Runtime fuses. */
export function emitMatmul(
  emit: OnnxEmitter,
  a: Pick<Operand, 'name' | 'shape'>,
  b: Pick<Operand, 'name' | 'shape'>,
  options: Partial<MatmulAttributes> & { readonly addend?: string } = {},
): string {
  const { transposeA = false, transposeB = false, factor = 1, addend } = options;
  if (a.shape.length === 2 && b.shape.length === 2) {
    const inputs = addend === undefined ? [a.name, b.name] : [a.name, b.name, addend];
    return emit.node('Gemm', inputs, {
      attributes: { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: factor } },
    });
  }
  const left = transposeA ? emitSwap(emit, a.name, a.shape) : a.name;
  const right = transposeB ? emitSwap(emit, b.name, b.shape) : b.name;
  const product = emit.node('MatMul', [left, right]);
  const scaled = factor === 1 ? product : emit.node('Mul', [product, emit.floats([factor], [])]);
  return addend === undefined ? scaled : emit.node('Add', [scaled, addend]);
}

function emitSwap(emit: OnnxEmitter, tensor: string, shape: Shape): string {
  const perm = shape.map((_, axis) => axis);
  perm.splice(-2, 2, shape.length - 1, shape.length - 2);
  return emit.node('Transpose', [tensor], { attributes: { perm } });
}
