/** @file SwiGLU's gate, silu(gate) x up, and its gradient. @see https://arxiv.org/abs/2002.05202 */
import { applyOperation, type Operation, type Value } from '../graph.ts';

export const gatedSiluOperation: Operation<null> = {
  name: 'gatedSilu',
  infer: ([gate]) => [{ dtype: gate!.dtype, shape: gate!.shape }],
  gradient: ({ inputs: [gate, up], outputGradients: [gradient] }) =>
    gradient ? applyOperation(gatedSiluGradientOperation, [gate!, up!, gradient], null) : [],
  lower(emit, [gate, up]) {
    // ONNX Runtime fuses the plain form into one float32 kernel and fails to in float64, where it has Swish instead.
    const silu =
      emit.floatType === 'float32'
        ? emit.node('Mul', [gate!.name, emit.node('Sigmoid', [gate!.name])])
        : emit.node('Swish', [gate!.name]);
    return [emit.node('Mul', [silu, up!.name])];
  },
};

/** silu(gate) x up, where silu(g) = g sigmoid(g); both [M, F]. */
export function gatedSilu(gate: Value, up: Value): Value {
  return applyOperation(gatedSiluOperation, [gate, up], null)[0]!;
}

/** With s = sigmoid(gate): dup = dy gate s, dgate = dy up s (1 + gate - gate s). Sigmoid is computed again, not kept. */
export const gatedSiluGradientOperation: Operation<null> = {
  name: 'gatedSiluGradient',
  infer: ([gate, up]) => [
    { dtype: gate!.dtype, shape: gate!.shape },
    { dtype: up!.dtype, shape: up!.shape },
  ],
  gradient: 'none',
  lower(emit, [gate, up, outputGradient]) {
    const again = emit.after(gate!.name, gate!.shape, outputGradient!.name);
    const sigmoid = emit.node('Sigmoid', [again]);
    const silu = emit.node('Mul', [again, sigmoid]);
    const slope = emit.node('Mul', [
      sigmoid,
      emit.node('Add', [emit.node('Sub', [again, silu]), emit.floats([1], [])]),
    ]);
    const gradientGate = emit.node('Mul', [emit.node('Mul', [outputGradient!.name, up!.name]), slope]);
    return [gradientGate, emit.node('Mul', [outputGradient!.name, silu])];
  },
};
