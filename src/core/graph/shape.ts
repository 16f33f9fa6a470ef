/**
 * @file Shapes whose dimensions may be unknown until a graph runs. A dimension is a number, or a product of a number
 * and named symbols written as text (`N`, `256*B`): enough to follow tokens through reshapes, and decidable.
 */

export type Dim = number | string;
export type Shape = readonly Dim[];

interface Product {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

function parseDim(dim: Dim): Product {
  if (typeof dim === 'number') return { coefficient: dim, symbols: [] };
  const factors = dim.split('*');
  const coefficient = Number(factors[0]);
  return Number.isNaN(coefficient) ? { coefficient: 1, symbols: factors } : { coefficient, symbols: factors.slice(1) };
}

function formatDim({ coefficient, symbols }: Product): Dim {
  if (symbols.length === 0 || coefficient === 0) return coefficient;
  const names = [...symbols].sort().join('*');
  return coefficient === 1 ? names : `${coefficient}*${names}`;
}

/** The symbols in a dimension, none for a number. */
export function symbolsOf(dim: Dim): readonly string[] {
  return parseDim(dim).symbols;
}

export function coefficientOf(dim: Dim): number {
  return parseDim(dim).coefficient;
}

export function multiplyDims(...dims: readonly Dim[]): Dim {
  const products = dims.map(parseDim);
  return formatDim({
    coefficient: products.reduce((total, product) => total * product.coefficient, 1),
    symbols: products.flatMap(product => product.symbols),
  });
}

/** The exact quotient, or undefined when there is none. */
export function divideDims(dividend: Dim, divisor: Dim): Dim | undefined {
  const over = parseDim(dividend);
  const under = parseDim(divisor);
  const symbols = [...over.symbols];
  for (const symbol of under.symbols) {
    const at = symbols.indexOf(symbol);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  const coefficient = over.coefficient / under.coefficient;
  return Number.isInteger(coefficient) ? formatDim({ coefficient, symbols }) : undefined;
}

export function isSameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** NumPy's broadcast of two shapes. @throws when they do not fit: a bug of the caller. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[a.length - rank + axis] ?? 1;
    const y = b[b.length - rank + axis] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new Error(`internal: broadcast: expected fitting shapes, got ${formatShape(a)} and ${formatShape(b)}`);
  });
}

/** `axis` counted from the front, whether it was given from the front or (negative) from the back. */
export function normalizeAxis(axis: number, shape: Shape): number {
  const fromFront = axis < 0 ? axis + shape.length : axis;
  if (fromFront < 0 || fromFront >= shape.length) {
    throw new Error(`internal: axis: expected one of ${formatShape(shape)}, got ${axis}`);
  }
  return fromFront;
}

/** The dimension as a number. @throws when it is symbolic: a bug of the caller. */
export function staticDim(shape: Shape, axis: number): number {
  const dim = shape[normalizeAxis(axis, shape)];
  if (typeof dim !== 'number') throw new Error(`internal: expected a fixed dimension ${axis} in ${formatShape(shape)}`);
  return dim;
}

export function dimAt(shape: Shape, axis: number): Dim {
  return shape[normalizeAxis(axis, shape)]!;
}
