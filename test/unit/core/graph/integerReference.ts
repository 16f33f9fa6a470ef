/**
 * What the integer products should compute, written plainly over flat arrays: every rounding at its place, so that the
 * graph's results are equal and not only near.
 */

type Numbers = readonly number[];

const { fround } = Math;

interface Rows {
  /** [rows, width], -127 to 127 */
  readonly steps: number[];
  /** [rows] */
  readonly scales: number[];
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

function toSteps(x: Numbers, scales: Numbers, width: number): number[] {
  return x.map((value, at) => {
    const step = roundHalfToEven(fround(value / scales[Math.floor(at / width)]!));
    return Math.min(127, Math.max(-128, step));
  });
}

export function roundRows(x: Numbers, width: number): Rows {
  const scales = Array.from({ length: x.length / width }, (_, row) => {
    const largest = Math.max(...x.slice(row * width, (row + 1) * width).map(Math.abs));
    return Math.max(fround(largest / 127), fround(1e-30));
  });
  return { steps: toSteps(x, scales, width), scales };
}

/** steps [m, k] x matrix [k, n] x column scales [n] -> [m, n] */
function multiplySteps(steps: Numbers, matrix: Numbers, k: number, n: number, columnScales: Numbers): number[] {
  return Array.from({ length: (steps.length / k) * n }, (_, at) => {
    const row = Math.floor(at / n);
    const column = at % n;
    let sum = 0;
    for (let i = 0; i < k; i++) sum += steps[row * k + i]! * matrix[i * n + column]!;
    return fround(fround(sum) * columnScales[column]!);
  });
}

/** products [m, n] x row scales [m] -> [m, n] */
function scaleRows(products: Numbers, scales: Numbers): number[] {
  const n = products.length / scales.length;
  return products.map((value, at) => fround(value * scales[Math.floor(at / n)]!));
}

interface Sizes {
  readonly rows: number;
  readonly inner: number;
  readonly out: number;
}

/** x [rows, inner], weight [out, inner], scales [out] -> [rows, out] */
export function linearReference(
  x: Numbers,
  weight: Numbers,
  scales: Numbers,
  { inner, out, terms }: Sizes & { readonly terms: 1 | 2 },
): number[] {
  const turned = Array.from({ length: weight.length }, (_, at) => weight[(at % out) * inner + Math.floor(at / out)]!);
  const rows = roundRows(x, inner);
  const first = multiplySteps(rows.steps, turned, inner, out, scales);
  if (terms === 1) return scaleRows(first, rows.scales);
  const rest = x.map((value, at) => fround(value - fround(rows.steps[at]! * rows.scales[Math.floor(at / inner)]!)));
  const finer = rows.scales.map(scale => fround(scale * fround(1 / 254)));
  const finerScales = scales.map(scale => fround(fround(1 / 254) * scale));
  const second = multiplySteps(toSteps(rest, finer, inner), turned, inner, out, finerScales);
  const sums = first.map((value, at) => fround(value + second[at]!));
  return scaleRows(sums, rows.scales);
}

/** weight [out, inner], scales [out], dy [rows, out] -> [rows, inner] */
export function linearGradientReference(
  weight: Numbers,
  scales: Numbers,
  dy: Numbers,
  { inner, out }: Sizes,
): number[] {
  const scaled = dy.map((value, at) => fround(value * scales[at % out]!));
  const rows = roundRows(scaled, out);
  return scaleRows(multiplySteps(rows.steps, weight, out, inner, new Array<number>(inner).fill(1)), rows.scales);
}
