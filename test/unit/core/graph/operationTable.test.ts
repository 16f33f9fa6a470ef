import { afterAll, describe, expect, it } from 'vitest';
import { emitOnnx } from '../../../../src/core/graph/emitOnnx.ts';
import { computeGradients } from '../../../../src/core/graph/gradients.ts';
import { type FloatType, Graph, type Value } from '../../../../src/core/graph/graph.ts';
import { type OperationName, operationTable } from '../../../../src/core/graph/operationTable.ts';
import type { Shape } from '../../../../src/core/graph/shape.ts';
import { GraphSession } from '../../../../src/core/runtime/graphSession.ts';
import { makeTensor, type RuntimeTensor } from '../../../../src/core/runtime/tensor.ts';
import type { CaseInput, OperationCase } from './caseInputs.ts';
import { operationCases } from './operationCases.ts';
import { seededNumbers } from './seededNumbers.ts';

const valueTolerance = { float32: 2e-5, float64: 1e-7 } as const;
const gradientTolerance = 1e-6;

function makeFeed(input: CaseInput, floatType: FloatType, sizes: Readonly<Record<string, number>>): RuntimeTensor {
  const shape = input.shape.map(dim => (typeof dim === 'number' ? dim : sizes[dim]!));
  if (input.dtype === 'int32') return makeTensor('int32', Int32Array.from(input.values), shape);
  if (input.dtype === 'int64') return makeTensor('int64', BigInt64Array.from(input.values, BigInt), shape);
  if (input.dtype === 'uint8') return makeTensor('uint8', Uint8Array.from(input.values), shape);
  if (input.dtype === 'int8') return makeTensor('int8', Int8Array.from(input.values), shape);
  return floatType === 'float32'
    ? makeTensor('float32', Float32Array.from(input.values), shape)
    : makeTensor('float64', Float64Array.from(input.values), shape);
}

const numbersOf = (tensor: RuntimeTensor): number[] => Array.from(tensor.data as Float64Array, Number);
const released: GraphSession[] = [];
afterAll(() => Promise.all(released.map(session => session.release())));

async function compile(graph: Graph, outputs: ReadonlyMap<string, Value>): Promise<GraphSession> {
  const session = await GraphSession.create(emitOnnx(graph, outputs), { threads: 1 });
  released.push(session);
  return session;
}

function buildCase(operationCase: OperationCase, floatType: FloatType) {
  const graph = new Graph(floatType);
  const values: Record<string, Value> = {};
  const feeds: Record<string, RuntimeTensor> = {};
  for (const [name, input] of Object.entries(operationCase.inputs)) {
    values[name] = graph.input(name, input.dtype, input.shape);
    feeds[name] = makeFeed(input, floatType, operationCase.sizes ?? {});
  }
  return { graph, values, feeds, outputs: operationCase.build(values, graph) };
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [at, value] of expected.entries()) {
    const error = Math.abs(actual[at]! - value) / Math.max(1, Math.abs(value));
    expect(error, `element ${at}: expected ${value}, got ${actual[at]}`).toBeLessThan(tolerance);
  }
}

describe('operationTable', () => {
  it('has at least one case for every operation, and a gradient case where there is a gradient', () => {
    for (const [name, operation] of Object.entries(operationTable)) {
      const cases = operationCases[name as OperationName];
      expect(cases?.length, `cases of ${name}`).toBeGreaterThan(0);
      expect(operation.name).toBe(name);
      for (const { differentiable, title } of cases) {
        expect((differentiable?.length ?? 0) > 0, `${name} ${title}`).toBe(operation.gradient !== 'none');
      }
    }
  });
});

for (const name of Object.keys(operationTable) as OperationName[]) {
  describe(name, () => {
    for (const operationCase of operationCases[name] ?? []) {
      for (const floatType of operationCase.floatTypes ?? (['float32', 'float64'] as const)) {
        it(`gives shapes and values ${operationCase.title} in ${floatType}`, async () => {
          const { graph, feeds, outputs } = buildCase(operationCase, floatType);
          expect(outputs.map(output => output.shape)).toEqual(operationCase.shapes);
          expect(graph.nodes.some(node => node.operation === name)).toBe(true);
          const session = await compile(graph, new Map(outputs.map((output, index) => [`y${index}`, output])));
          const results = await session.run(feeds);
          const inputs = Object.fromEntries(Object.entries(feeds).map(([key, tensor]) => [key, numbersOf(tensor)]));
          for (const [index, expected] of operationCase.expected(inputs).entries()) {
            const result = results[`y${index}`]!;
            if (operationCase.isExact) expect(numbersOf(result)).toEqual(expected);
            else expectClose(numbersOf(result), expected, valueTolerance[floatType]);
            const shape: Shape = operationCase.shapes[index]!;
            expect(result.dims).toEqual(shape.map(dim => (typeof dim === 'number' ? dim : operationCase.sizes?.[dim])));
          }
        });
      }

      const { differentiable, differentiableOutputs, surrogate } = operationCase;
      if (!differentiable) continue;
      if (surrogate) {
        it(`has nearly the gradient of the smooth function it stands for ${operationCase.title}`, async () => {
          const { graph, values, feeds, outputs } = buildCase(operationCase, 'float32');
          const [output] = outputs;
          const seed = graph.input('seed', 'float', output!.shape);
          const actual = computeGradients([{ value: output!, gradient: seed }], [values[differentiable[0]!]!]);
          const names = Object.entries(operationCase.inputs).filter(([, { dtype }]) => dtype !== 'float');
          const asFloats = Object.fromEntries(
            names.map(([key, { shape }]) => [key, graph.input(`${key} in floats`, 'float', shape)]),
          );
          const smooth = surrogate.build({ ...values, ...asFloats });
          const expected = computeGradients([{ value: smooth, gradient: seed }], [values[differentiable[0]!]!]);
          for (const [key, { shape, values: numbers }] of names) {
            const dims = shape.map(dim => (typeof dim === 'number' ? dim : operationCase.sizes![dim]!));
            feeds[`${key} in floats`] = makeTensor('float32', Float32Array.from(numbers), dims);
          }
          const dims = output!.shape.map(dim => (typeof dim === 'number' ? dim : operationCase.sizes![dim]!));
          const count = dims.reduce((product, dim) => product * dim, 1);
          feeds.seed = makeTensor('float32', Float32Array.from(seededNumbers(991, count)), dims);
          const session = await compile(
            graph,
            new Map([
              ['actual', actual[0]!],
              ['expected', expected[0]!],
            ]),
          );
          const results = await session.run(feeds);
          const goal = numbersOf(results.expected!);
          const largest = Math.max(...goal.map(Math.abs));
          expect(largest).toBeGreaterThan(0);
          for (const [at, value] of numbersOf(results.actual!).entries()) {
            expect(Math.abs(value - goal[at]!) / largest, `element ${at}`).toBeLessThan(surrogate.tolerance);
          }
        });
        continue;
      }
      it(`has the gradient of central differences ${operationCase.title}`, async () => {
        const { graph, values, feeds, outputs } = buildCase(operationCase, 'float64');
        const session = await compile(graph, new Map(outputs.map((output, index) => [`y${index}`, output])));
        const first = await session.run(feeds);
        // The scalar: each output's elements times fixed numbers, fed as the outputs' gradients.
        const chosen = differentiableOutputs ?? outputs.map((_, index) => index);
        const seeds = chosen.map(index => ({
          value: outputs[index]!,
          gradient: graph.input(`seed${index}`, 'float', outputs[index]!.shape),
        }));
        for (const index of chosen) {
          const { dims } = first[`y${index}`]!;
          const numbers = seededNumbers(
            991 + index,
            dims.reduce((product, dim) => product * dim, 1),
          );
          feeds[`seed${index}`] = makeTensor('float64', Float64Array.from(numbers), dims);
        }
        const gradients = computeGradients(
          seeds,
          differentiable.map(input => values[input]!),
        );
        const backward = await compile(
          graph,
          new Map(gradients.map((gradient, i) => [`d:${differentiable[i]}`, gradient])),
        );
        const analytic = await backward.run(feeds);
        const scalar = async (): Promise<number> => {
          const results = await session.run(feeds);
          return chosen.reduce((total, index) => {
            const seed = numbersOf(feeds[`seed${index}`]!);
            return total + numbersOf(results[`y${index}`]!).reduce((sum, y, i) => sum + y * seed[i]!, 0);
          }, 0);
        };
        for (const input of differentiable) {
          const data = feeds[input]!.data as Float64Array;
          const numeric: number[] = [];
          for (const [at, original] of [...data].entries()) {
            const step = 1e-5;
            data[at] = original + step;
            const above = await scalar();
            data[at] = original - step;
            const below = await scalar();
            data[at] = original;
            numeric.push((above - below) / (2 * step));
          }
          expectClose(numbersOf(analytic[`d:${input}`]!), numeric, gradientTolerance);
        }
      });
    }
  });
}
