/**
 * @file Dropout with masks that are fed: each row of x is multiplied by a row of a table of factors, 0 or 1 / (1 - p).
 * The way back looks the factors up again, so that neither they nor the dropped x are kept in between.
 */
import { applyOperation, formatTypes, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { dimAt, isSameShape } from '../shape.ts';
import { emitMatmul } from './matmul.ts';

/** The factors of each row, [M, in]; once `dependency` is there, if one is given. */
function emitFactors(emit: OnnxEmitter, masks: Operand, rows: Operand, dependency?: Operand): string {
  const numbers = dependency ? emit.after(rows.name, rows.shape, dependency.name) : rows.name;
  return emit.node('Gather', [masks.name, numbers], { attributes: { axis: 0 } });
}

export const dropoutOperation: Operation<null> = {
  name: 'dropout',
  infer([x, masks, rows]) {
    if (dimAt(x!.shape, 1) !== dimAt(masks!.shape, 1) || !isSameShape(rows!.shape, x!.shape.slice(0, 1))) {
      throw new Error(`internal: dropout: expected fitting masks, got ${formatTypes([x!, masks!, rows!])}`);
    }
    return [{ dtype: x!.dtype, shape: x!.shape }];
  },
  gradient: ({ inputs: [, masks, rows], outputGradients: [gradient] }) =>
    gradient ? applyOperation(dropoutGradientOperation, [gradient, masks!, rows!], null) : [],
  lower: (emit, [x, masks, rows]) => [emit.node('Mul', [x!.name, emitFactors(emit, masks!, rows!)])],
};

/** x [M, in] times the rows of masks [P, in] that rows [M] names. */
export function dropout(x: Value, masks: Value, rows: Value): Value {
  return applyOperation(dropoutOperation, [x, masks, rows], null)[0]!;
}

export const dropoutGradientOperation: Operation<null> = {
  name: 'dropoutGradient',
  infer: ([outputGradient]) => [outputGradient!],
  gradient: 'none',
  lower: (emit, [outputGradient, masks, rows]) => [
    emit.node('Mul', [outputGradient!.name, emitFactors(emit, masks!, rows!, outputGradient)]),
  ],
};

export const droppedProductOperation: Operation<null> = {
  name: 'droppedProduct',
  infer([x, masks, rows, a]) {
    dropoutOperation.infer([x!, masks!, rows!], null);
    if (dimAt(a!.shape, 1) !== dimAt(x!.shape, 1)) {
      throw new Error(`internal: droppedProduct: expected fitting matrices, got ${formatTypes([x!, a!])}`);
    }
    return [{ dtype: x!.dtype, shape: [dimAt(x!.shape, 0), dimAt(a!.shape, 0)] }];
  },
  gradient({ inputs: [x, masks, rows, a], outputGradients: [gradient] }) {
    if (!gradient) return [];
    const operands = [x!, masks!, rows!, a!, gradient];
    const [gradientX, gradientA] = applyOperation(droppedProductGradientOperation, operands, null);
    return [gradientX, undefined, undefined, gradientA];
  },
  lower(emit, [x, masks, rows, a]) {
    const dropped = { name: emit.node('Mul', [x!.name, emitFactors(emit, masks!, rows!)]), shape: x!.shape };
    return [emitMatmul(emit, dropped, a!, { transposeB: true })];
  },
};

/** dropout(x [M, in]) times a [R, in], transposed -> [M, R]. */
export function droppedProduct(x: Value, masks: Value, rows: Value, a: Value): Value {
  return applyOperation(droppedProductOperation, [x, masks, rows, a], null)[0]!;
}

/** With f the factors: dx = f (dy A), dA = dy^T (f x). */
export const droppedProductGradientOperation: Operation<null> = {
  name: 'droppedProductGradient',
  infer: ([x, , , a]) => [x!, a!].map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: 'none',
  lower(emit, [x, masks, rows, a, outputGradient]) {
    const factors = emitFactors(emit, masks!, rows!, outputGradient);
    const dropped = { name: emit.node('Mul', [x!.name, factors]), shape: x!.shape };
    const gradientX = emit.node('Mul', [emitMatmul(emit, outputGradient!, a!), factors]);
    return [gradientX, emitMatmul(emit, outputGradient!, dropped, { transposeA: true })];
  },
};
