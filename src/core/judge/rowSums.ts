/** @file What a metric needs of each row, added up over rows, and the figure of a sum: so that any set of rows has a figure. */

/** `width` numbers a row; a metric's figure is a function of their sums alone. */
export interface RowSums {
  readonly width: number;
  /** [rows, width] */
  readonly values: Float64Array;
  /** 1 where the metric is defined, by row. */
  readonly isDefined: Uint8Array;
}

export interface Figure {
  readonly width: number;
  /** Of sums over `rows` rows. */
  of(sums: ArrayLike<number>, rows: number): number;
  /** Of one row alone, to say on which rows who is better; `of` where absent. */
  ofRow?(values: ArrayLike<number>): number;
}

/** @param rows undefined where the metric is not defined */
export function toRowSums(rows: readonly (readonly number[] | undefined)[], { width }: Figure): RowSums {
  const values = new Float64Array(rows.length * width);
  const isDefined = new Uint8Array(rows.length);
  for (const [row, numbers] of rows.entries()) {
    if (numbers === undefined) continue;
    if (numbers.length !== width)
      throw new Error(`internal: row sums: expected ${width} numbers, got ${numbers.length}`);
    isDefined[row] = 1;
    values.set(numbers, row * width);
  }
  return { width, values, isDefined };
}

/** The mean of a score of each row. */
export const meanFigure: Figure = { width: 1, of: (sums, rows) => sums[0]! / rows };

/** The first number's sum divided by the second's: a mean with weights. */
export const ratioFigure: Figure = { width: 2, of: sums => sums[0]! / sums[1]! };

/** The exponential of that ratio. */
export const expRatioFigure: Figure = { width: 2, of: (sums, rows) => Math.exp(ratioFigure.of(sums, rows)) };
