/**
 * @file Gradients -> updated parameters: AdamW (Loshchilov & Hutter 2019) with decoupled decay and bias correction, in
 * the order torch.optim.AdamW computes it. Arithmetic is float64, storage float32. Moments are kept in chunks, so that
 * no allocation grows with a parameter.
 */

/** 64 Mi elements, 256 MiB: well below the largest allocation that every JavaScript host survives. */
const chunkElements = 64 * 1024 * 1024;

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** The part of a trained tensor that the optimizer needs. */
export interface OptimizedParameter {
  readonly name: string;
  readonly value: Float32Array;
  readonly gradient: Float32Array;
  readonly decays: boolean;
  /** Its learning rate is the step's times this, 1 by default: a parameter group of torch.optim.AdamW. */
  readonly learningRateFactor?: number | undefined;
}

/** Running averages of one parameter, as consecutive chunks of it. */
export interface ParameterMoments {
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
}

/** AdamW over a fixed list of parameters; owns their moments. */
export class AdamW {
  /** In the order of the parameters. */
  readonly moments: readonly ParameterMoments[];
  private readonly parameters: readonly OptimizedParameter[];
  private readonly settings: AdamWSettings;

  constructor(parameters: readonly OptimizedParameter[], settings: AdamWSettings) {
    this.parameters = parameters;
    this.settings = settings;
    this.moments = parameters.map(parameter => ({
      first: allocateChunks(parameter.value.length),
      second: allocateChunks(parameter.value.length),
    }));
  }

  /** Updates every value in place. `step` counts from 1 and only serves the bias correction; gradients are read as `gradientFactor` x gradient. */
  update(step: number, learningRate: number, gradientFactor: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.settings;
    const firstCorrection = 1 - beta1 ** step;
    const rootCorrection = Math.sqrt(1 - beta2 ** step);
    for (const [index, parameter] of this.parameters.entries()) {
      const rate = learningRate * (parameter.learningRateFactor ?? 1);
      const keep = parameter.decays ? 1 - rate * weightDecay : 1;
      const { first, second } = this.moments[index]!;
      for (const [chunk, m] of first.entries()) {
        const start = chunk * chunkElements;
        const value = parameter.value.subarray(start, start + m.length);
        const gradient = parameter.gradient.subarray(start, start + m.length);
        const v = second[chunk]!;
        updateChunk(
          value,
          gradient,
          m,
          v,
          gradientFactor,
          beta1,
          beta2,
          keep,
          rate / firstCorrection,
          rootCorrection,
          epsilon,
        );
      }
    }
  }
}

function allocateChunks(elements: number): Float32Array[] {
  const chunks: Float32Array[] = [];
  for (let start = 0; start < elements; start += chunkElements) {
    chunks.push(new Float32Array(Math.min(chunkElements, elements - start)));
  }
  return chunks;
}

/** One pass over memory; scalars as arguments, so that the loop reads no object. */
function updateChunk(
  value: Float32Array,
  gradient: Float32Array,
  m: Float32Array,
  v: Float32Array,
  factor: number,
  beta1: number,
  beta2: number,
  keep: number,
  stepSize: number,
  rootCorrection: number,
  epsilon: number,
): void {
  const rest1 = 1 - beta1;
  const rest2 = 1 - beta2;
  const inverseRoot = 1 / rootCorrection;
  const { length } = value;
  for (let i = 0; i < length; i++) {
    const g = gradient[i]! * factor;
    const mi = beta1 * m[i]! + rest1 * g;
    const vi = beta2 * v[i]! + rest2 * g * g;
    m[i] = mi;
    v[i] = vi;
    value[i] = keep * value[i]! - (stepSize * mi) / (Math.sqrt(vi) * inverseRoot + epsilon);
  }
}
