/**
 * @file Which 8-bit weights this machine multiplies exactly. x86 processors without VNNI add pairs of products of
 * unsigned rows and signed weights in 16 bits, which overflow; with unsigned weights they take another, exact way.
 * @see https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html (U8S8 saturation)
 */
import { emitOnnx } from '../graph/emitOnnx.ts';
import { Graph } from '../graph/graph.ts';
import { integerLinear, largestStep, zeroPoint } from '../graph/operations/integerLinear.ts';
import type { StepType } from '../models/weightForm.ts';
import { GraphSession } from '../runtime/graphSession.ts';
import { floatData, makeTensor } from '../runtime/tensor.ts';

const [rows, inner, out] = [8, 64, 16];

let found: Promise<StepType> | undefined;

/** int8 where products of the largest steps come out right, else uint8; asked of the machine once a process. */
export function findStepType(): Promise<StepType> {
  found ??= multipliesExactly('int8').then(isExact => (isExact ? 'int8' : 'uint8'));
  return found;
}

/** Whether rows and weights of the largest steps give the exact sum. */
export async function multipliesExactly(stepType: StepType): Promise<boolean> {
  const graph = new Graph();
  const x = graph.input('x', 'float', [rows, inner]);
  const weight = graph.input('weight', stepType, [out, inner]);
  const scales = graph.input('scales', 'float', [out]);
  const product = integerLinear(x, weight, scales, { terms: 1 });
  const session = await GraphSession.create(emitOnnx(graph, new Map([['product', product]])), { threads: 1 });
  try {
    const largest =
      stepType === 'int8'
        ? makeTensor('int8', new Int8Array(out * inner).fill(largestStep), [out, inner])
        : makeTensor('uint8', new Uint8Array(out * inner).fill(zeroPoint + largestStep), [out, inner]);
    const results = await session.run({
      x: makeTensor('float32', new Float32Array(rows * inner).fill(largestStep), [rows, inner]), // one step is 1
      weight: largest,
      scales: makeTensor('float32', new Float32Array(out).fill(1), [out]),
    });
    return floatData(results.product!).every(sum => sum === inner * largestStep * largestStep);
  } finally {
    await session.release();
  }
}
