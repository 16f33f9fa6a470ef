/**
 * @file A model's linear layers -> how many times faster this machine multiplies them as integers than as floats. The same
 * operations as in training, both ways, on random numbers; the two take turns, and of each the fastest turn counts, so that
 * other programs disturb little.
 */
import { emitOnnx } from '../graph/emitOnnx.ts';
import { computeGradients } from '../graph/gradients.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { integerLinear } from '../graph/operations/integerLinear.ts';
import { matmul } from '../graph/operations/matmul.ts';
import type { Model } from '../models/findArchitecture.ts';
import type { StepType } from '../models/weightForm.ts';
import { GraphSession } from '../runtime/graphSession.ts';
import { makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { planIntegerForms } from './planWeightForms.ts';

/** A product of the model, and how many of a layer have its shape. */
export interface ProductShape {
  readonly out: number;
  readonly inner: number;
  readonly terms: 1 | 2;
  readonly count: number;
}

/** Beyond these sizes the rate of a product no longer changes. */
const [largestRows, largestSide] = [512, 2048];
const turns = 3;

/** The different products of a layer, none larger than the rate asks for. */
export function listProductShapes({ architecture, config }: Model): ProductShape[] {
  const { layers } = architecture.describeParameters(config);
  const forms = planIntegerForms(layers.flat(), 'int8');
  const shapes = new Map<string, ProductShape>();
  for (const { name, shape } of layers[0] ?? []) {
    const form = forms.get(name);
    if (!form) continue;
    const [out, inner] = shape.map(side => Math.min(side, largestSide));
    const { terms } = form;
    const key = `${out}x${inner}x${terms}`;
    shapes.set(key, { out: out!, inner: inner!, terms, count: (shapes.get(key)?.count ?? 0) + 1 });
  }
  return [...shapes.values()];
}

/**
 * Time of float products over that of integer products, of one layer there and back.
 * @param tokens rows of a batch
 * @param now a clock in milliseconds
 */
export async function measureSpeedup(
  shapes: readonly ProductShape[],
  { tokens, threads, stepType }: { readonly tokens: number; readonly threads: number; readonly stepType: StepType },
  now: () => number,
): Promise<number> {
  const rows = Math.min(tokens, largestRows);
  let floatMs = 0;
  let integerMs = 0;
  for (const shape of shapes) {
    const float = await openProduct(shape, rows, 'float', threads);
    const integer = await openProduct(shape, rows, stepType, threads);
    const best = { float: Infinity, integer: Infinity };
    for (let turn = 0; turn <= turns; turn++) {
      for (const [kind, product] of [['float', float] as const, ['integer', integer] as const]) {
        const startMs = now();
        await product.run();
        const elapsedMs = now() - startMs;
        // The first turn only warms up.
        if (turn > 0) best[kind] = Math.min(best[kind], elapsedMs);
      }
    }
    floatMs += shape.count * best.float;
    integerMs += shape.count * best.integer;
    await Promise.all([float.release(), integer.release()]);
  }
  return floatMs / integerMs;
}

/** y = x W^T and dx = dy W with a weight of that type. */
async function openProduct(
  { out, inner, terms }: ProductShape,
  rows: number,
  type: StepType | 'float',
  threads: number,
): Promise<{ run(): Promise<unknown>; release(): Promise<void> }> {
  const graph = new Graph();
  const x = graph.input('x', 'float', [rows, inner]);
  const gradient = graph.input('gradient', 'float', [rows, out]);
  const weight = graph.input('weight', type, [out, inner]);
  const scales = graph.input('scales', 'float', [out]);
  const product =
    type === 'float' ? matmul(x, weight, { transposeB: true }) : integerLinear(x, weight, scales, { terms });
  const [toX] = computeGradients([{ value: product, gradient }], [x]);
  const outputs = new Map<string, Value>([
    ['product', product],
    ['toX', toX!],
  ]);
  const session = await GraphSession.create(emitOnnx(graph, outputs), { threads });
  const feeds: Record<string, RuntimeTensor> = {
    x: makeTensor('float32', drawFloats(rows * inner), [rows, inner]),
    gradient: makeTensor('float32', drawFloats(rows * out), [rows, out]),
    weight: drawWeight(type, out, inner),
    scales: makeTensor('float32', drawFloats(out), [out]),
  };
  return { run: () => session.run(feeds), release: () => session.release() };
}

function drawWeight(type: StepType | 'float', out: number, inner: number): RuntimeTensor {
  const floats = drawFloats(out * inner);
  if (type === 'float') return makeTensor('float32', floats, [out, inner]);
  return type === 'int8'
    ? makeTensor(
        'int8',
        Int8Array.from(floats, value => 127 * value),
        [out, inner],
      )
    : makeTensor(
        'uint8',
        Uint8Array.from(floats, value => 128 + 127 * value),
        [out, inner],
      );
}

/** Numbers from -1 to 1; which ones does not matter to the time. */
function drawFloats(count: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
