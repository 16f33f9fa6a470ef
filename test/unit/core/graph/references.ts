/** What the operations should compute, written plainly over flat arrays. */

type Numbers = readonly number[];

export function zipWith(a: Numbers, b: Numbers, combine: (x: number, y: number) => number): number[] {
  return a.map((x, i) => combine(x, b[i % b.length]!));
}

/** a [m, k] x b [k, n] */
export function matmulReference(a: Numbers, b: Numbers, m: number, k: number, n: number): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    const row = Math.floor(at / n);
    const column = at % n;
    let sum = 0;
    for (let i = 0; i < k; i++) sum += a[row * k + i]! * b[i * n + column]!;
    return sum;
  });
}

/** [rows, columns] -> [columns, rows] */
export function swapReference(x: Numbers, rows: number, columns: number): number[] {
  return Array.from({ length: x.length }, (_, at) => x[(at % rows) * columns + Math.floor(at / rows)]!);
}

export function softmaxReference(x: Numbers): number[] {
  const max = Math.max(...x);
  const exponentials = x.map(value => Math.exp(value - max));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map(value => value / sum);
}

export function rmsNormReference(x: Numbers, weight: Numbers, epsilon: number): number[] {
  const width = weight.length;
  return x.map((value, at) => {
    const start = at - (at % width);
    const squares = x.slice(start, start + width).reduce((total, other) => total + other * other, 0);
    return (value / Math.sqrt(squares / width + epsilon)) * weight[at % width]!;
  });
}

/** x [tokens, heads * headSize], the first 2 * half elements of each head turned by the angles whose cosines and sines stand at each token's position. */
export function rotaryReference(
  x: Numbers,
  positions: Numbers,
  cosines: Numbers,
  sines: Numbers,
  heads: number,
  half: number,
  headSize = 2 * half,
): number[] {
  const turned = [...x];
  for (const [token, position] of positions.entries()) {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < half; i++) {
        const first = (token * heads + head) * headSize + i;
        const second = first + half;
        const cos = cosines[position * half + i]!;
        const sin = sines[position * half + i]!;
        turned[first] = x[first]! * cos - x[second]! * sin;
        turned[second] = x[second]! * cos + x[first]! * sin;
      }
    }
  }
  return turned;
}

export interface AttentionSizes {
  readonly rows: number;
  readonly tokens: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly windowTokens?: number;
  readonly softcap?: number;
}

export function attentionReference(
  q: Numbers,
  k: Numbers,
  v: Numbers,
  segments: Numbers,
  sizes: AttentionSizes,
): number[] {
  const { rows, tokens, heads, keyValueHeads, headSize, windowTokens = tokens, softcap } = sizes;
  const y = new Array<number>(q.length).fill(0);
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const keyHead = Math.floor((head * keyValueHeads) / heads);
      for (let query = 0; query < tokens; query++) {
        const at = row * tokens + query;
        const visible = Array.from({ length: query + 1 }, (_, key) => row * tokens + key).filter(
          key => segments[key] === segments[at] && at - key < windowTokens,
        );
        const dot = (key: number): number => {
          let sum = 0;
          for (let i = 0; i < headSize; i++) {
            sum += q[(at * heads + head) * headSize + i]! * k[(key * keyValueHeads + keyHead) * headSize + i]!;
          }
          const score = sum / Math.sqrt(headSize);
          return softcap === undefined ? score : softcap * Math.tanh(score / softcap);
        };
        const probabilities = softmaxReference(visible.map(dot));
        for (const [index, key] of visible.entries()) {
          for (let i = 0; i < headSize; i++) {
            y[(at * heads + head) * headSize + i]! +=
              probabilities[index]! * v[(key * keyValueHeads + keyHead) * headSize + i]!;
          }
        }
      }
    }
  }
  return y;
}

/** Each row's divergence from a teacher, the rest of the vocabulary counting as one token. */
export function divergenceReference(
  logits: Numbers,
  ids: Numbers,
  logProbabilities: Numbers,
  count: number,
  temperature: number,
): number[] {
  const rows = ids.length / count;
  const vocabulary = logits.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const own = logits.slice(row * vocabulary, (row + 1) * vocabulary).map(z => z / temperature);
    const q = softmaxReference(own);
    const top = ids.slice(row * count, (row + 1) * count);
    const p = logProbabilities.slice(row * count, (row + 1) * count).map(Math.exp);
    const rest = {
      p: 1 - p.reduce((a, b) => a + b, 0),
      q: q.filter((_, id) => !top.includes(id)).reduce((a, b) => a + b, 0),
    };
    const known = p.reduce((sum, pk, k) => sum + pk * Math.log(pk / q[top[k]!]!), 0);
    return known + (rest.p > 1e-6 ? rest.p * Math.log(rest.p / rest.q) : 0);
  });
}

/** Each label's loss: hidden [n, width], weight [vocabulary, width]. */
export function crossEntropyReference(
  hidden: Numbers,
  weight: Numbers,
  labels: Numbers,
  width: number,
  softcap?: number,
): number[] {
  const vocabulary = weight.length / width;
  const products = matmulReference(hidden, swapReference(weight, vocabulary, width), labels.length, width, vocabulary);
  const logits = softcap === undefined ? products : products.map(x => softcap * Math.tanh(x / softcap));
  return labels.map(
    (label, row) => -Math.log(softmaxReference(logits.slice(row * vocabulary, (row + 1) * vocabulary))[label]!),
  );
}

/** The derivative of sum(f(x) * weights) with respect to x by central differences: what gradient operations should give. */
export function differentiate(f: (x: number[]) => Numbers, x: Numbers, weights: Numbers): number[] {
  const step = 1e-5;
  const total = (at: number, change: number): number => {
    const moved = [...x];
    moved[at]! += change;
    return f(moved).reduce((sum, value, i) => sum + value * weights[i]!, 0);
  };
  return x.map((_, at) => (total(at, step) - total(at, -step)) / (2 * step));
}
