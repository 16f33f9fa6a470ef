/** @file The smoothed loss: an exponential moving average without the bias towards its start, as Adam corrects its moments. */

/**
 * One smoothed value for each value: m = weight * m + (1 - weight) * x, shown as m / (1 - weight ^ t), so that the first
 * value stands for itself and early values are not pulled to zero. Values that are not finite are passed over.
 *
 * @param weight 0 (raw) up to below 1: higher = smoother.
 */
export function smoothDebiased(values: readonly number[], weight: number): number[] {
  const smoothed = new Array<number>(values.length);
  let moment = 0;
  let correction = 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) {
      moment = weight * moment + (1 - weight) * value;
      correction *= weight;
    }
    smoothed[i] = correction === 1 ? Number.NaN : moment / (1 - correction);
  }
  return smoothed;
}
