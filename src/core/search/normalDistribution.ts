/** @file The normal distribution: probabilities from the error function (series near 0, continued fraction beyond), and draws by Box and Muller. */

/** Probability of a standard normal value below `z`. */
export function normalBelow(z: number): number {
  const tail = 0.5 * complementaryError(Math.abs(z) / Math.SQRT2);
  return z < 0 ? tail : 1 - tail;
}

/** Probability of a standard normal value between two places, exact in the tails too. */
export function normalBetween(low: number, high: number): number {
  return low > 0 ? normalBelow(-low) - normalBelow(-high) : normalBelow(high) - normalBelow(low);
}

/** @param uniform draws from [0, 1) */
export function drawNormal(uniform: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
  return radius * Math.cos(2 * Math.PI * uniform());
}

/** erfc(x) for x >= 0. */
function complementaryError(x: number): number {
  if (x > 27) return 0;
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  // Laplace's continued fraction, from its end.
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}
