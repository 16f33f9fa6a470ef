/**
 * @file A linear layer whose weight stays in quantized blocks, for decoding: y = x W^T, with what adapters and the blocks'
 * offsets add. The wide product is ONNX Runtime's own with packed weights; like llama.cpp it rounds x to 8 bits by block.
 * What lies beside it stays in float32: with W = scale (code - middle) + offset, offsets multiply the sums of x over each
 * block, as thin a product as LoRA's B, and the two are one product.
 * @see https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits
 */
import { countCodeBytes, type PackedForm } from '../../formats/packedMatrix.ts';
import { applyOperation, formatTypes, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { dimAt, staticDim } from '../shape.ts';
import { emitMatmul } from './matmul.ts';

interface PackedLinearAttributes {
  readonly form: PackedForm;
  readonly hasA: boolean;
  readonly hasB: boolean;
}

/** Rounds x to 8 bits by block where the kernel can; 1 would keep it in float32 at a third of the speed. */
const integerRows = 4;

export const packedLinearOperation: Operation<PackedLinearAttributes> = {
  name: 'packedLinear',
  infer([x, codes, scales], { form }) {
    const [out, blocks] = [staticDim(codes!.shape, 0), staticDim(codes!.shape, 1)];
    const fits =
      dimAt(x!.shape, 1) === blocks * form.blockElements &&
      staticDim(codes!.shape, 2) === countCodeBytes(form) &&
      staticDim(scales!.shape, 0) === out &&
      staticDim(scales!.shape, 1) === blocks;
    if (!fits)
      throw new Error(`internal: packedLinear: expected fitting matrices, got ${formatTypes([x!, codes!, scales!])}`);
    return [{ dtype: x!.dtype, shape: [dimAt(x!.shape, 0), out] }];
  },
  gradient: 'none',
  lower(emit, [x, codes, scales, ...rest], { form, hasA, hasB }) {
    const blocks = staticDim(codes!.shape, 1);
    const product = emit.node('MatMulNBits', [x!.name, codes!.name, scales!.name], {
      domain: 'com.microsoft',
      attributes: {
        N: staticDim(codes!.shape, 0),
        K: blocks * form.blockElements,
        bits: form.bits,
        block_size: form.blockElements,
        accuracy_level: integerRows,
      },
    });
    if (!hasB) return [product];
    const b = rest.at(-1)!;
    const thin = [
      ...(hasA ? [emitMatmul(emit, x!, rest[0]!, { transposeB: true })] : []),
      ...(form.hasMinimum ? [emitBlockSums(emit, x!, form.blockElements)] : []),
    ]; // [M, R], [M, in / block]
    const side = thin.length === 1 ? thin[0]! : emit.node('Concat', thin, { attributes: { axis: 1 } });
    const sideShape = [dimAt(x!.shape, 0), dimAt(b.shape, 1)];
    return [emitMatmul(emit, { name: side, shape: sideShape }, b, { transposeB: true, addend: product })];
  },
};

/** x [M, in] -> the sums over each block [M, in / block]; once for all layers that read the same x. */
function emitBlockSums(emit: OnnxEmitter, x: Operand, blockElements: number): string {
  return emit.once(`packedLinear|sums|${x.name}|${blockElements}`, () => {
    const blocks = staticDim(x.shape, 1) / blockElements;
    const apart = emit.node('Reshape', [x.name, emit.ints([-1, blocks, blockElements])]);
    return emit.node('ReduceSum', [apart, emit.ints([2])], { attributes: { keepdims: 0 } });
  });
}

export interface PackedWeight {
  readonly form: PackedForm;
  /** uint8 [out, in / block, bytes of a block] */
  readonly codes: Value;
  /** [out, in / block] */
  readonly scales: Value;
}

/** What is added to the wide product, all of it [x A^T | sums of x over blocks] B^T. */
export interface PackedAddition {
  /** [R, in]; absent: B has no columns for an adapter. */
  readonly a?: Value | undefined;
  /** [out, R + in / block], the adapter's columns first, then the offsets of the blocks where the form has them. */
  readonly b: Value;
}

/** x [M, in] -> [M, out]. */
export function packedLinear(x: Value, { form, codes, scales }: PackedWeight, addition?: PackedAddition): Value {
  const { a, b } = addition ?? {};
  const inputs = [x, codes, scales, ...(a ? [a] : []), ...(b ? [b] : [])];
  const attributes = { form, hasA: a !== undefined, hasB: b !== undefined };
  return applyOperation(packedLinearOperation, inputs, attributes)[0]!;
}
