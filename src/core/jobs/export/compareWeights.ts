/**
 * @file Two sources of a model's weights -> how far apart they are: tighter than logits, which few bits move far, and all there
 * is where memory is too small to run the model.
 */
import { TuneError } from '../../../shared/errors.ts';
import type { ExportCheck, ExportType } from '../../../shared/exportFormats.ts';
import type { TensorSource } from '../../formats/tensorSource.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { listParameters } from '../../models/listParameters.ts';

/** Of rounding, over the size of what is rounded. */
const largestError = {
  float32: 1e-6,
  float16: 2e-3,
  bfloat16: 1e-2,
  q8_0: 2e-2,
  q4_0: 0.25,
} as const satisfies Record<ExportType, number>;
const sampledRows = 16;

/** Reads some rows of every weight from both. @throws TuneError `engine` when one is further away than rounding explains */
export function compareWeights(
  model: Model,
  expected: TensorSource,
  actual: TensorSource,
  { tool, type, path }: { readonly tool: string; readonly type: ExportType; readonly path: string },
): ExportCheck {
  let difference = 0;
  for (const { name, shape } of listParameters(model)) {
    const rows = shape[0]!;
    const step = Math.max(1, Math.floor(rows / sampledRows));
    let [distance, size] = [0, 0];
    for (let row = 0; row < rows; row += shape.length === 1 ? rows : step) {
      const count = shape.length === 1 ? rows : 1;
      const a = expected.readFloat32Rows(name, row, count);
      const b = actual.readFloat32Rows(name, row, count);
      for (let i = 0; i < a.length; i++) {
        distance += (a[i]! - b[i]!) ** 2;
        size += a[i]! ** 2;
      }
    }
    const error = size === 0 ? Math.sqrt(distance) : Math.sqrt(distance / size);
    if (!(error <= largestError[type])) {
      throw new TuneError('engine', `${path}, ${name}: expected the tuned weights, got others (error ${error})`, {
        hint: 'Nothing was exported. Report this with the model and the format.',
      });
    }
    difference = Math.max(difference, error);
  }
  return { tool, tokens: 0, sameTokens: 0, difference };
}
