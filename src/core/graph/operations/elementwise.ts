/** @file Arithmetic element by element, with NumPy's broadcasting. */
import { applyOperation, isConstant, type Operation, type TensorType, type Value } from '../graph.ts';
import { broadcastShapes } from '../shape.ts';
import { sumToShape } from './broadcast.ts';

type Binary = Operation<null>;
type Unary = Operation<null>;

function inferBroadcast([a, b]: readonly TensorType[]): TensorType[] {
  return [{ dtype: a!.dtype, shape: broadcastShapes(a!.shape, b!.shape) }];
}

const inferSame = ([x]: readonly TensorType[]): TensorType[] => [{ dtype: x!.dtype, shape: x!.shape }];

export const addOperation: Binary = {
  name: 'add',
  infer: inferBroadcast,
  gradient: ({ inputs: [a, b], outputGradients: [gradient] }) =>
    gradient ? [sumToShape(gradient, a!.shape), sumToShape(gradient, b!.shape)] : [],
  lower: (emit, [a, b]) => [emit.node('Add', [a!.name, b!.name])],
};

export function add(a: Value, b: Value): Value {
  return applyOperation(addOperation, [a, b], null)[0]!;
}

export const subtractOperation: Binary = {
  name: 'subtract',
  infer: inferBroadcast,
  gradient: ({ inputs: [a, b], outputGradients: [gradient] }) =>
    gradient ? [sumToShape(gradient, a!.shape), sumToShape(negate(gradient), b!.shape)] : [],
  lower: (emit, [a, b]) => [emit.node('Sub', [a!.name, b!.name])],
};

export function subtract(a: Value, b: Value): Value {
  return applyOperation(subtractOperation, [a, b], null)[0]!;
}

export const multiplyOperation: Binary = {
  name: 'multiply',
  infer: inferBroadcast,
  gradient: ({ inputs: [a, b], outputGradients: [gradient] }) =>
    gradient ? [sumToShape(multiply(gradient, b!), a!.shape), sumToShape(multiply(gradient, a!), b!.shape)] : [],
  lower: (emit, [a, b]) => [emit.node('Mul', [a!.name, b!.name])],
};

/** a x b; multiplying by a scalar constant 1 records nothing. */
export function multiply(a: Value, b: Value): Value {
  if (b.shape.length === 0 && isConstant(b, 1)) return a;
  return applyOperation(multiplyOperation, [a, b], null)[0]!;
}

export const divideOperation: Binary = {
  name: 'divide',
  infer: inferBroadcast,
  gradient: ({ inputs: [a, b], outputs: [quotient], outputGradients: [gradient] }) => {
    if (!gradient) return [];
    const overB = divide(gradient, b!);
    return [sumToShape(overB, a!.shape), sumToShape(negate(multiply(overB, quotient!)), b!.shape)];
  },
  lower: (emit, [a, b]) => [emit.node('Div', [a!.name, b!.name])],
};

export function divide(a: Value, b: Value): Value {
  return applyOperation(divideOperation, [a, b], null)[0]!;
}

export const negateOperation: Unary = {
  name: 'negate',
  infer: inferSame,
  gradient: ({ outputGradients: [gradient] }) => [gradient && negate(gradient)],
  lower: (emit, [x]) => [emit.node('Neg', [x!.name])],
};

export function negate(x: Value): Value {
  return applyOperation(negateOperation, [x], null)[0]!;
}

export const exponentialOperation: Unary = {
  name: 'exponential',
  infer: inferSame,
  gradient: ({ outputs: [y], outputGradients: [gradient] }) => [gradient && multiply(gradient, y!)],
  lower: (emit, [x]) => [emit.node('Exp', [x!.name])],
};

export function exponential(x: Value): Value {
  return applyOperation(exponentialOperation, [x], null)[0]!;
}

export const logarithmOperation: Unary = {
  name: 'logarithm',
  infer: inferSame,
  gradient: ({ inputs: [x], outputGradients: [gradient] }) => [gradient && divide(gradient, x!)],
  lower: (emit, [x]) => [emit.node('Log', [x!.name])],
};

export function logarithm(x: Value): Value {
  return applyOperation(logarithmOperation, [x], null)[0]!;
}

export const sigmoidOperation: Unary = {
  name: 'sigmoid',
  infer: inferSame,
  gradient: ({ outputs: [y], outputGradients: [gradient] }) => [
    gradient && multiply(gradient, multiply(y!, subtract(y!.graph.scalar(1), y!))),
  ],
  lower: (emit, [x]) => [emit.node('Sigmoid', [x!.name])],
};

export function sigmoid(x: Value): Value {
  return applyOperation(sigmoidOperation, [x], null)[0]!;
}
