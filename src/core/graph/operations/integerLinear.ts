/**
 * @file A frozen linear layer in 8-bit integers: y = x W^T, where W is held in 8 bits with a scale for each output channel
 * and x is rounded to 8 bits row by row on the fly, so that the wide product is one of integers. The way back does the
 * same with the output gradient and never leaves the integers either; rounding counts as the identity there (straight
 * through). LoRA needs no gradient of W, so no third product is left for floats.
 * @see https://arxiv.org/abs/2304.13013 (SwitchBack), whose gradient of W is not needed here
 */
import {
  applyOperation,
  formatTypes,
  type OnnxEmitter,
  type Operand,
  type Operation,
  type TensorType,
  type Value,
} from '../graph.ts';
import { dimAt } from '../shape.ts';

export interface IntegerLinearAttributes {
  /**
   * How many 8-bit terms stand for x: 1, or 2 where a few large elements of a row would leave the others too few steps.
   * The second term is what the first one rounded away, in steps 254 times finer.
   */
  readonly terms: 1 | 2;
}

/** The most steps on either side of zero, in weights and in rows. */
export const largestStep = 127;
/** How often the second term's step goes into the first one's: its largest error is half a step, 127 of these. */
export const finerSteps = 2 * largestStep;
/** Keeps rows of zeros from dividing by zero. */
export const smallestScale = 1e-30;
/** What stands for zero in unsigned rows and weights. */
export const zeroPoint = 128;

export const integerLinearOperation: Operation<IntegerLinearAttributes> = {
  name: 'integerLinear',
  infer([x, weight, scales]) {
    requireFit('integerLinear', x!, weight!, scales!, dimAt(weight!.shape, 1));
    return [{ dtype: x!.dtype, shape: [dimAt(x!.shape, 0), dimAt(weight!.shape, 0)] }];
  },
  gradient: ({ inputs: [, weight, scales], outputGradients: [gradient] }) =>
    gradient ? applyOperation(integerLinearGradientOperation, [weight!, scales!, gradient], {}) : [],
  lower(emit, [x, weight, scales], { terms }) {
    // The kernel wants W^T; turning 8 bits around costs little beside the product and saves the second copy.
    const turned = emit.node('Transpose', [weight!.name], { attributes: { perm: [1, 0] } });
    const rows = emitRows(emit, x!);
    const matrix = { name: turned, dtype: weight!.dtype };
    const product = emitProduct(emit, rows.steps, matrix, 1, scales!.name);
    if (terms === 1) return [emit.node('Mul', [product, rows.scales])];
    const first = emit.node('DequantizeLinear', [rows.steps, rows.flatScales, rows.zeroPoints], {
      attributes: { axis: 0 },
    });
    const rest = emit.node('Sub', [x!.name, first]);
    const finer = emit.node('Mul', [rows.scales, emit.floats([1 / finerSteps], [])]);
    const flatFiner = emit.node('Reshape', [finer, emit.ints([-1])]);
    const finerRows = emitQuantize(emit, rest, flatFiner, rows.zeroPoints);
    const second = emitProduct(emit, finerRows, matrix, 1 / finerSteps, scales!.name);
    return [emit.node('Mul', [emit.node('Add', [product, second]), rows.scales])];
  },
};

/**
 * x [M, in], weight [out, in], scales [out] -> [M, out]. Float32 alone. The weight is int8, or uint8 with 128 for zero: the
 * results are the same, but processors differ in which of the two they multiply fast, and without overflow.
 */
export function integerLinear(x: Value, weight: Value, scales: Value, attributes: IntegerLinearAttributes): Value {
  return applyOperation(integerLinearOperation, [x, weight, scales], attributes)[0]!;
}

/** dx = (dy x scales) W, with the rows of dy x scales rounded to 8 bits. */
export const integerLinearGradientOperation: Operation<object> = {
  name: 'integerLinearGradient',
  infer([weight, scales, gradient]) {
    requireFit('integerLinearGradient', gradient!, weight!, scales!, dimAt(weight!.shape, 0));
    return [{ dtype: gradient!.dtype, shape: [dimAt(gradient!.shape, 0), dimAt(weight!.shape, 1)] }];
  },
  gradient: 'none',
  lower(emit, [weight, scales, gradient]) {
    const scaled = emit.node('Mul', [gradient!.name, scales!.name]);
    const rows = emitRows(emit, { name: scaled, shape: gradient!.shape });
    const product = emitProduct(emit, rows.steps, weight!, 1, emit.floats([1], []));
    return [emit.node('Mul', [product, rows.scales])];
  },
};

/** Rows of floats as 8-bit steps: element = (step - 128) x its row's scale. */
interface IntegerRows {
  /** uint8 [M, K] */
  readonly steps: string;
  /** [M, 1] */
  readonly scales: string;
  /** [M] */
  readonly flatScales: string;
  /** uint8 [M] */
  readonly zeroPoints: string;
}

/** The rows of x, the largest element of each 127 steps from zero; once for all layers that read the same x. */
function emitRows(emit: OnnxEmitter, x: Pick<Operand, 'name' | 'shape'>): IntegerRows {
  const shared = (part: string, make: () => string): string => emit.once(`integer rows|${x.name}|${part}`, make);
  const scales = shared('scales', () => {
    const over = (type: string): string => emit.node(type, [x.name, emit.ints([-1])], { attributes: { keepdims: 1 } });
    const largest = emit.node('Max', [over('ReduceMax'), emit.node('Neg', [over('ReduceMin')])]); // [M, 1]
    const scaled = emit.node('Div', [largest, emit.floats([largestStep], [])]);
    return emit.node('Max', [scaled, emit.floats([smallestScale], [])]);
  });
  const rowsShape = [dimAt(x.shape, 0)];
  const zeroPoints = emit.once(`integer rows|zero points|${rowsShape.join()}`, () =>
    emit.node('Expand', [
      emit.constant({ dtype: 'uint8', shape: [1], values: [zeroPoint] }),
      emit.shapeTensor(rowsShape),
    ]),
  );
  const flatScales = shared('flat scales', () => emit.node('Reshape', [scales, emit.ints([-1])]));
  const steps = shared('steps', () => emitQuantize(emit, x.name, flatScales, zeroPoints));
  return { steps, scales, flatScales, zeroPoints };
}

function emitQuantize(emit: OnnxEmitter, x: string, flatScales: string, zeroPoints: string): string {
  return emit.node('QuantizeLinear', [x, flatScales, zeroPoints], { attributes: { axis: 0 } });
}

/** steps uint8 [M, K] x matrix [K, N] x factor x columnScales [N] or [] -> [M, N], before the rows' own scales. */
function emitProduct(
  emit: OnnxEmitter,
  steps: string,
  matrix: Pick<Operand, 'name' | 'dtype'>,
  factor: number,
  columnScales: string,
): string {
  const zero = emit.constant({ dtype: 'uint8', shape: [], values: [zeroPoint] });
  const zeros = matrix.dtype === 'uint8' ? [zero, zero] : [zero];
  const inputs = [steps, matrix.name, emit.floats([factor], []), columnScales, ...zeros];
  return emit.node('MatMulIntegerToFloat', inputs, { domain: 'com.microsoft' });
}

function requireFit(
  operation: string,
  rows: TensorType,
  weight: TensorType,
  scales: TensorType,
  width: string | number,
): void {
  const fits =
    rows.dtype === 'float32' &&
    (weight.dtype === 'int8' || weight.dtype === 'uint8') &&
    dimAt(rows.shape, 1) === width &&
    dimAt(scales.shape, 0) === dimAt(weight.shape, 0);
  if (!fits)
    throw new Error(`internal: ${operation}: expected fitting matrices, got ${formatTypes([rows, weight, scales])}`);
}
