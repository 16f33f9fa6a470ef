/** @file Scores bent so that none passes a cap: cap x tanh(x / cap). @see https://arxiv.org/abs/2408.00118 (Gemma 2) */
import { applyOperation, type OnnxEmitter, type Operation, type Value } from '../graph.ts';

interface SoftcapAttributes {
  readonly cap: number;
}

export const softcapOperation: Operation<SoftcapAttributes> = {
  name: 'softcap',
  infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: ({ outputs: [y], attributes, outputGradients: [gradient] }) =>
    gradient ? applyOperation(softcapGradientOperation, [y!, gradient], attributes) : [],
  lower: (emit, [x], { cap }) => [emitSoftcap(emit, x!.name, cap).y],
};

/** cap x tanh(x / cap), element by element. */
export function softcap(x: Value, cap: number): Value {
  return applyOperation(softcapOperation, [x], { cap })[0]!;
}

/** dx = dy (1 - (y / cap)^2). */
export const softcapGradientOperation: Operation<SoftcapAttributes> = {
  name: 'softcapGradient',
  infer: ([y]) => [{ dtype: y!.dtype, shape: y!.shape }],
  gradient: 'none',
  lower(emit, [y, outputGradient], { cap }) {
    const tanh = emit.node('Div', [y!.name, emit.floats([cap], [])]);
    return [emit.node('Mul', [outputGradient!.name, emitSoftcapSlope(emit, tanh)])];
  },
};

/** The capped tensor, and the hyperbolic tangent from which its slope follows. */
export function emitSoftcap(emit: OnnxEmitter, x: string, cap: number): { readonly y: string; readonly tanh: string } {
  const scale = emit.floats([cap], []);
  const tanh = emit.node('Tanh', [emit.node('Div', [x, scale])]);
  return { y: emit.node('Mul', [tanh, scale]), tanh };
}

/** 1 - tanh^2, the derivative of the capped tensor. */
export function emitSoftcapSlope(emit: OnnxEmitter, tanh: string): string {
  return emit.node('Sub', [emit.floats([1], []), emit.node('Mul', [tanh, tanh])]);
}
