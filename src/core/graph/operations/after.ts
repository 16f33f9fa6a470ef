/** @file A value that waits for another, so that what is computed from it again is not computed before. */
import { applyOperation, type Operation, type Value } from '../graph.ts';

export const afterOperation: Operation<null> = {
  name: 'after',
  infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: ({ outputGradients: [gradient] }) => [gradient],
  lower: (emit, [x, dependency]) => [emit.after(x!.name, x!.shape, dependency!.name)],
};

/** x, unchanged and uncopied, but not there before `dependency` is. */
export function after(x: Value, dependency: Value): Value {
  return applyOperation(afterOperation, [x, dependency], null)[0]!;
}
