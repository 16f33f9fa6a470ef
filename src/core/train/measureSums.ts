/** @file The measures of several batches -> their means, each batch by its weight. */
import { type Measures, measureNames } from '../../shared/runFolder.ts';
import type { BatchLoss } from './trainingEngine.ts';

export class MeasureSums {
  private readonly sums: { -readonly [K in keyof Measures]: number } = {};
  private weightSum = 0;

  add({ measures, weightSum }: BatchLoss): void {
    this.weightSum += weightSum;
    for (const name of measureNames) {
      const sum = measures?.[name];
      if (sum !== undefined) this.sums[name] = (this.sums[name] ?? 0) + sum;
    }
  }

  means(): Measures {
    return Object.fromEntries(Object.entries(this.sums).map(([name, sum]) => [name, sum / this.weightSum]));
  }
}
