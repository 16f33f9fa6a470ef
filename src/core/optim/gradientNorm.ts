/** @file Gradients -> their global L2 norm and the factor that clips them, as torch.nn.utils.clip_grad_norm_ does. */

/** L2 norm over all gradients together, summed in float64. NaN or infinite when any gradient is. */
export function computeGradientNorm(parameters: readonly { readonly gradient: Float32Array }[]): number {
  let total = 0;
  for (const { gradient } of parameters) total += sumSquares(gradient);
  return Math.sqrt(total);
}

/** What every gradient is multiplied by so that the norm does not exceed `clipNorm`; 0 turns clipping off. */
export function clipFactor(gradNorm: number, clipNorm: number): number {
  return clipNorm > 0 ? Math.min(1, clipNorm / (gradNorm + 1e-6)) : 1;
}

/** Four independent sums: the additions of one chain would wait for each other. */
function sumSquares(values: Float32Array): number {
  const { length } = values;
  const whole = length - (length % 4);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < whole; i += 4) {
    const v0 = values[i]!;
    const v1 = values[i + 1]!;
    const v2 = values[i + 2]!;
    const v3 = values[i + 3]!;
    a += v0 * v0;
    b += v1 * v1;
    c += v2 * v2;
    d += v3 * v3;
  }
  for (let i = whole; i < length; i++) a += values[i]! * values[i]!;
  return a + b + (c + d);
}
