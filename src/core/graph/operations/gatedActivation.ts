/**
 * @file A gated feed-forward's middle, activation(gate) x up, and its gradient: SwiGLU's silu and GeGLU's gelu in the form
 * with tanh. A kind of gate says what its activation and its slope are; the frame around them is one.
 * @see https://arxiv.org/abs/2002.05202
 */
import { applyOperation, type OnnxEmitter, type Operation, type Value } from '../graph.ts';

interface Gate {
  /** activation(g) */
  activate(emit: OnnxEmitter, gate: string): string;
  /** activation(g) once more, and its derivative. */
  differentiate(emit: OnnxEmitter, gate: string): { readonly activated: string; readonly slope: string };
}

const rate = Math.sqrt(2 / Math.PI);
const cubicShare = 0.044715;

const gates = {
  /** g sigmoid(g); the slope is s (1 + g - g s) with s = sigmoid(g). */
  silu: {
    activate: (emit, gate) =>
      // ONNX Runtime fuses the plain form into one float32 kernel and fails to in float64, where it has Swish instead.
      emit.floatType === 'float64'
        ? emit.node('Swish', [gate])
        : emit.node('Mul', [gate, emit.node('Sigmoid', [gate])]),
    differentiate(emit, gate) {
      const sigmoid = emit.node('Sigmoid', [gate]);
      const activated = emit.node('Mul', [gate, sigmoid]);
      const inner = emit.node('Add', [emit.node('Sub', [gate, activated]), emit.floats([1], [])]);
      return { activated, slope: emit.node('Mul', [sigmoid, inner]) };
    },
  },
  /**
   * g (1 + t) / 2 with t = tanh(u) and u = sqrt(2 / pi) (g + 0.044715 g^3); the slope is (1 + t) / 2 + g (1 - t^2) u' / 2.
   */
  gelu: {
    activate: (emit, gate) =>
      // ONNX's own operator is one kernel, in float32 alone.
      emit.floatType === 'float32'
        ? emit.node('Gelu', [gate], { attributes: { approximate: 'tanh' } })
        : emit.node('Mul', [gate, emitHalfPlus(emit, emitTanh(emit, gate).tanh)]),
    differentiate(emit, gate) {
      const multiply = (a: string, b: string): string => emit.node('Mul', [a, b]);
      const { tanh, square } = emitTanh(emit, gate);
      const halfPlus = emitHalfPlus(emit, tanh);
      const innerSlope = emitPolynomial(emit, square, rate, 3 * rate * cubicShare); // u'
      const bend = emit.node('Sub', [emit.floats([0.5], []), multiply(emit.floats([0.5], []), multiply(tanh, tanh))]);
      const slope = emit.node('Add', [halfPlus, multiply(multiply(gate, bend), innerSlope)]);
      return { activated: multiply(gate, halfPlus), slope };
    },
  },
} as const satisfies Record<string, Gate>;

export interface GatedActivationAttributes {
  readonly kind: keyof typeof gates;
}

export const gatedActivationOperation: Operation<GatedActivationAttributes> = {
  name: 'gatedActivation',
  infer: ([gate]) => [{ dtype: gate!.dtype, shape: gate!.shape }],
  gradient: ({ inputs: [gate, up], outputGradients: [gradient], attributes }) =>
    gradient ? applyOperation(gatedActivationGradientOperation, [gate!, up!, gradient], attributes) : [],
  lower: (emit, [gate, up], { kind }) => [emit.node('Mul', [gates[kind].activate(emit, gate!.name), up!.name])],
};

/** silu(gate) x up; both [M, F]. */
export function gatedSilu(gate: Value, up: Value): Value {
  return applyOperation(gatedActivationOperation, [gate, up], { kind: 'silu' })[0]!;
}

/** gelu(gate) x up; both [M, F]. */
export function gatedGelu(gate: Value, up: Value): Value {
  return applyOperation(gatedActivationOperation, [gate, up], { kind: 'gelu' })[0]!;
}

/** dgate = dy up slope(gate), dup = dy activation(gate). What the activation is made of is computed again, not kept. */
export const gatedActivationGradientOperation: Operation<GatedActivationAttributes> = {
  name: 'gatedActivationGradient',
  infer: ([gate, up]) => [
    { dtype: gate!.dtype, shape: gate!.shape },
    { dtype: up!.dtype, shape: up!.shape },
  ],
  gradient: 'none',
  lower(emit, [gate, up, outputGradient], { kind }) {
    const again = emit.after(gate!.name, gate!.shape, outputGradient!.name);
    const { activated, slope } = gates[kind].differentiate(emit, again);
    const passed = emit.node('Mul', [outputGradient!.name, up!.name]);
    return [emit.node('Mul', [passed, slope]), emit.node('Mul', [outputGradient!.name, activated])];
  },
};

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
