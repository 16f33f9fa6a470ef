import { describe, expect, it } from 'vitest';
import { emitOnnx } from '../../../../src/core/graph/emitOnnx.ts';
import { computeGradients } from '../../../../src/core/graph/gradients.ts';
import { Graph } from '../../../../src/core/graph/graph.ts';
import { reduceSum } from '../../../../src/core/graph/operations/broadcast.ts';
import { add, multiply, sigmoid } from '../../../../src/core/graph/operations/elementwise.ts';
import { matmul } from '../../../../src/core/graph/operations/matmul.ts';
import { reshape } from '../../../../src/core/graph/operations/reshape.ts';
import { rmsNorm } from '../../../../src/core/graph/operations/rmsNorm.ts';
import { concatenate } from '../../../../src/core/graph/operations/slice.ts';
import { GraphSession } from '../../../../src/core/runtime/graphSession.ts';
import { floatData, makeTensor } from '../../../../src/core/runtime/tensor.ts';

describe('computeGradients', () => {
  it('sums over all uses of a value', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float', [3]);
    const target = reshape(reduceSum(add(multiply(x, x), multiply(x, graph.scalar(3))), [0]), []);
    const [gradient] = computeGradients(target, [x]);
    const session = await GraphSession.create(emitOnnx(graph, new Map([['y', gradient!]])), { threads: 1 });
    const { y } = await session.run({ x: makeTensor('float32', Float32Array.of(1, -2, 0.5), [3]) });
    expect([...floatData(y!)]).toEqual([5, -1, 4]); // 2x + 3
    await session.release();
  });

  it('does not pass the frontier', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float', [2, 2]);
    const middle = sigmoid(x);
    const target = reshape(reduceSum(matmul(middle, x), [0, 1]), []);
    const before = graph.nodes.length;
    const [, gradient] = computeGradients(target, [middle, x], [middle]);
    expect(gradient!.shape).toEqual([2, 2]);
    // What comes through sigmoid would multiply by its slope: nothing but the product's gradient may be there.
    expect(graph.nodes.slice(before).some(({ operation }) => operation === 'subtract')).toBe(false);
  });

  it('computes again what it is told to, with the same result', async () => {
    const gradientOf = async (recomputed: ReadonlySet<string>): Promise<{ values: number[]; norms: number }> => {
      const graph = new Graph();
      const x = graph.input('x', 'float', [2, 3]);
      const weight = graph.input('weight', 'float', [3]);
      const square = graph.input('square', 'float', [3, 3]);
      const normalized = rmsNorm(multiply(x, x), weight, 1e-6);
      const target = reshape(reduceSum(sigmoid(matmul(normalized, square)), [0, 1]), []);
      const [gradient] = computeGradients(target, [square], [], recomputed);
      const model = emitOnnx(graph, new Map([['y', gradient!]]));
      const session = await GraphSession.create(model, { threads: 1 });
      const { y } = await session.run({
        x: makeTensor('float32', Float32Array.of(1, -2, 0.5, 3, 0.1, -1), [2, 3]),
        weight: makeTensor('float32', Float32Array.of(1, 2, 3), [3]),
        square: makeTensor(
          'float32',
          Float32Array.from({ length: 9 }, (_, i) => i / 9),
          [3, 3],
        ),
      });
      await session.release();
      return {
        values: [...floatData(y!)],
        norms: model.nodes.filter(({ type }) => type === 'RMSNormalization').length,
      };
    };
    const kept = await gradientOf(new Set());
    const again = await gradientOf(new Set(['rmsNorm']));
    expect([kept.norms, again.norms]).toEqual([1, 2]);
    expect(again.values).toEqual(kept.values);
  });

  it('adds up gradients of products while they are computed, and slices nothing that ONNX Runtime would reorder', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float', [4, 3]);
    const weights = ['a', 'b'].map(name => graph.input(name, 'float', [2, 3]));
    const joined = matmul(x, concatenate(weights, 0), { transposeB: true });
    const target = reshape(
      reduceSum(add(joined, matmul(x, concatenate(weights, 0), { transposeB: true })), [0, 1]),
      [],
    );
    const gradients = computeGradients(target, [x, ...weights]);
    const model = emitOnnx(graph, new Map(gradients.map((gradient, i) => [`${i}`, gradient])));
    const types = model.nodes.map(({ type }) => type);
    expect(types.filter(type => type === 'Split')).toHaveLength(2);
    expect(types).not.toContain('Slice');
    expect(model.nodes.filter(({ type, inputs }) => type === 'Gemm' && inputs.length === 3)).not.toHaveLength(0);
  });

  it('says so when a value has no influence', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float', [1]);
    const idle = graph.input('idle', 'float', [1]);
    expect(() => computeGradients(reshape(x, []), [idle])).toThrow(/value 0 of 1 has no influence/);
  });
});

describe('emitOnnx', () => {
  it('leaves out what the outputs do not need', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float', [2]);
    const unused = graph.input('unused', 'float', [2]);
    multiply(x, unused);
    const model = emitOnnx(graph, new Map([['y', sigmoid(x)]]));
    expect(model.nodes.map(({ type }) => type)).toEqual(['Sigmoid']);
    expect(model.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('copies an output that is an input, or asked for twice', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float', [1]);
    const y = add(x, graph.scalar(1));
    const outputs = new Map([
      ['same', x],
      ['first', y],
      ['second', y],
    ]);
    const session = await GraphSession.create(emitOnnx(graph, outputs), { threads: 1 });
    const results = await session.run({ x: makeTensor('float32', Float32Array.of(4), [1]) });
    expect(Object.entries(results).map(([name, tensor]) => [name, floatData(tensor)[0]])).toEqual([
      ['same', 4],
      ['first', 5],
      ['second', 5],
    ]);
    await session.release();
  });
});

describe('builders', () => {
  it('refuse operands that do not fit, with their shapes', () => {
    const graph = new Graph();
    const a = graph.input('a', 'float', [2, 3]);
    const b = graph.input('b', 'float', ['N', 4]);
    expect(() => matmul(a, b)).toThrow(/matmul.*float32\[2, 3\], float32\[N, 4\]/);
    expect(() => add(a, b)).toThrow(/broadcast.*\[2, 3\] and \[N, 4\]/);
    expect(() => reshape(b, [5, 2])).toThrow(/reshape/);
    expect(() => add(a, new Graph().input('c', 'float', [2, 3]))).toThrow(/one graph/);
  });
});
