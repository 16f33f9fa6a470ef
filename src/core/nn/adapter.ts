/**
 * @file LoRA beside frozen linear layers: y = x W^T + scale (x A^T) B^T, whatever form the weight has. The A of layers
 * that read the same x are one thin product: products of inner or outer size 16 run far below a machine's rate. DoRA
 * gives each output a gain. @see https://arxiv.org/abs/2106.09685 and https://arxiv.org/abs/2402.09353
 */
import type { Value } from '../graph/graph.ts';
import { dropout, droppedProduct } from '../graph/operations/dropout.ts';
import { add, multiply, subtract } from '../graph/operations/elementwise.ts';
import { addProduct, matmul } from '../graph/operations/matmul.ts';
import { mergedLinear } from '../graph/operations/mergedLinear.ts';
import { concatenate, split } from '../graph/operations/slice.ts';

/** A product with a frozen weight in whatever form the graph has it: x [M, in] -> x W^T [M, out]. */
export type FrozenProduct = (x: Value) => Value;

export interface Adapter {
  /** [R, in] */
  readonly a: Value;
  /** [out, R] */
  readonly b: Value;
  /** alpha / rank, or alpha / sqrt(rank) for rsLoRA. */
  readonly scale: number;
  /**
   * The weight itself, [out, in] in floats, where W + scale B A is to be made at each use: less work when there are more
   * rows than weight rows, and a copy of the weight while the layer runs. Absent: two thin products beside the wide one.
   */
  readonly mergeInto?: Value | undefined;
  /** DoRA: what each column of the layer's output, weight and adapter together, is multiplied by. [out] */
  readonly gain?: Value | undefined;
  /** Drops elements of x on the adapter's side alone. */
  readonly dropout?: DropoutInputs | undefined;
}

export interface DropoutInputs {
  /** [P, in]: factors 0 or 1 / (1 - p). */
  readonly masks: Value;
  /** [M]: the row of the masks for each row of x. */
  readonly rows: Value;
}

export interface AdaptedLayer {
  readonly product: FrozenProduct;
  readonly adapter: Adapter;
}

/** What each layer makes of x [M, in] with its adapter, without bias: [M, out] each. */
export function adapt(x: Value, layers: readonly AdaptedLayer[]): Value[] {
  const beside = layers.filter(({ adapter }) => adapter.mergeInto === undefined);
  const downs = new Map(projectDown(x, beside).map((down, index) => [beside[index]!, down]));
  return layers.map(layer => {
    const { product, adapter } = layer;
    const { a, b, scale, mergeInto, gain, dropout: dropped } = adapter;
    if (mergeInto !== undefined) return mergedLinear(x, mergeInto, a, b, scale);
    const addTo = (wide: Value): Value => addProduct(wide, downs.get(layer)!, b, { transposeB: true, factor: scale });
    if (!gain) return addTo(product(x));
    if (!dropped) return multiply(addTo(product(x)), gain);
    // As PEFT: the gain's change is seen by the dropped x alone.
    const wide = product(dropout(x, dropped.masks, dropped.rows));
    return add(subtract(product(x), wide), multiply(addTo(wide), gain));
  });
}

/** x A^T [M, R] of each layer, as one product where they have x in common and their ranks are known. */
function projectDown(x: Value, layers: readonly AdaptedLayer[]): readonly Value[] {
  const matrices = layers.map(({ adapter }) => adapter.a);
  const ranks = matrices.map(({ shape }) => shape[0]!);
  if (layers.some(({ adapter }) => adapter.dropout !== undefined)) {
    return layers.map(({ adapter: { a, dropout: dropped } }) =>
      dropped ? droppedProduct(x, dropped.masks, dropped.rows, a) : matmul(x, a, { transposeB: true }),
    );
  }
  if (layers.length < 2 || !ranks.every(rank => typeof rank === 'number')) {
    return matrices.map(a => matmul(x, a, { transposeB: true }));
  }
  return split(matmul(x, concatenate(matrices, 0), { transposeB: true }), 1, ranks);
}
