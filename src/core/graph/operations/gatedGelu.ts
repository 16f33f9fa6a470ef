/** @file GeGLU's gate, gelu(gate) x up, in the form with tanh, and its gradient. @see https://arxiv.org/abs/2002.05202 */
import { applyOperation, type OnnxEmitter, type Operation, type Value } from '../graph.ts';

export const gatedGeluOperation: Operation<null> = {
  name: 'gatedGelu',
  infer: ([gate]) => [{ dtype: gate!.dtype, shape: gate!.shape }],
  gradient: ({ inputs: [gate, up], outputGradients: [gradient] }) =>
    gradient ? applyOperation(gatedGeluGradientOperation, [gate!, up!, gradient], null) : [],
  lower(emit, [gate, up]) {
    // ONNX's own operator is one kernel, in float32 alone.
    const gelu =
      emit.floatType === 'float32'
        ? emit.node('Gelu', [gate!.name], { attributes: { approximate: 'tanh' } })
        : emit.node('Mul', [gate!.name, emitHalfPlus(emit, emitTanh(emit, gate!.name).tanh)]);
    return [emit.node('Mul', [gelu, up!.name])];
  },
};

/** gelu(gate) x up, where gelu(g) = g (1 + tanh(sqrt(2 / pi) (g + 0.044715 g^3))) / 2; both [M, F]. */
export function gatedGelu(gate: Value, up: Value): Value {
  return applyOperation(gatedGeluOperation, [gate, up], null)[0]!;
}

/**
 * With u = sqrt(2 / pi) (g + 0.044715 g^3) and t = tanh(u): dup = dy g (1 + t) / 2,
 * dgate = dy up ((1 + t) / 2 + g (1 - t^2) u' / 2). Tanh is computed again, not kept.
 */
export const gatedGeluGradientOperation: Operation<null> = {
  name: 'gatedGeluGradient',
  infer: ([gate, up]) => [
    { dtype: gate!.dtype, shape: gate!.shape },
    { dtype: up!.dtype, shape: up!.shape },
  ],
  gradient: 'none',
  lower(emit, [gate, up, outputGradient]) {
    const again = emit.after(gate!.name, gate!.shape, outputGradient!.name);
    const multiply = (a: string, b: string): string => emit.node('Mul', [a, b]);
    const { tanh, square } = emitTanh(emit, again);
    const halfPlus = emitHalfPlus(emit, tanh);
    const innerSlope = emitPolynomial(emit, square, rate, 3 * rate * cubicShare); // u'
    const bend = emit.node('Sub', [emit.floats([0.5], []), multiply(emit.floats([0.5], []), multiply(tanh, tanh))]);
    const slope = emit.node('Add', [halfPlus, multiply(multiply(again, bend), innerSlope)]);
    const gradientGate = multiply(multiply(outputGradient!.name, up!.name), slope);
    return [gradientGate, multiply(outputGradient!.name, multiply(again, halfPlus))];
  },
};

const rate = Math.sqrt(2 / Math.PI);
const cubicShare = 0.044715;

/** tanh(u) of g, and g^2. */
function emitTanh(emit: OnnxEmitter, gate: string): { readonly tanh: string; readonly square: string } {
  const square = emit.node('Mul', [gate, gate]);
  const inner = emit.node('Mul', [gate, emitPolynomial(emit, square, rate, rate * cubicShare)]);
  return { tanh: emit.node('Tanh', [inner]), square };
}

/** constant + factor x square */
function emitPolynomial(emit: OnnxEmitter, square: string, constant: number, factor: number): string {
  return emit.node('Add', [emit.node('Mul', [square, emit.floats([factor], [])]), emit.floats([constant], [])]);
}

/** (1 + tanh) / 2 */
function emitHalfPlus(emit: OnnxEmitter, tanh: string): string {
  return emit.node('Add', [emit.node('Mul', [tanh, emit.floats([0.5], [])]), emit.floats([0.5], [])]);
}
