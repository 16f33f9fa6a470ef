import { describe, expect, it } from 'vitest';
import { profileTables, summarizeProfile, type TraceEvent } from '../../../../src/tools/bench/benchProfile.mjs';

const kernel = (operator: string, dur: number, inputs: number[][] = [], output: number[] = []): TraceEvent => ({
  cat: 'Node',
  name: `node_${operator}_kernel_time`,
  dur,
  args: {
    op_name: operator,
    input_type_shape: inputs.map(float => ({ float })),
    output_type_shape: [{ float: output }],
  },
});

describe('summarizeProfile', () => {
  const matrices = [
    [1000, 500],
    [200, 500],
  ];
  const events: TraceEvent[] = [
    { cat: 'Session', name: 'model_run', dur: 99_000, args: {} },
    { cat: 'Node', name: 'node_Gemm_fence_before', dur: 5_000, args: { op_name: 'Gemm' } },
    kernel('Gemm', 2_000, matrices, [1000, 200]),
    kernel('Gemm', 2_000, matrices, [1000, 200]),
    kernel('Softmax', 1_000, [[4, 4]], [4, 4]),
    kernel(
      'MatMul',
      3_000,
      [
        [2, 4, 8],
        [2, 8, 4],
      ],
      [2, 4, 4],
    ),
  ];

  it('sums kernels alone, longest first, and says which share products have', () => {
    const { totalMs, productShare, operators } = summarizeProfile(events);
    expect(totalMs).toBe(8);
    expect(productShare).toBe(7 / 8);
    expect(operators.map(({ name, ms, calls }) => [name, ms, calls])).toEqual([
      ['Gemm', 4, 2],
      ['MatMul', 3, 1],
      ['Softmax', 1, 1],
    ]);
  });

  it('counts 2 M K N operations of a product of matrices, and none where the shape does not say', () => {
    const { shapes } = summarizeProfile(events);
    expect(shapes[0]?.name).toBe('Gemm [1000, 500] [200, 500] -> [1000, 200]');
    expect(shapes[0]?.gigaflops).toBeCloseTo((2 * 2 * 1000 * 500 * 200) / 4e6, 6);
    expect(shapes[1]?.gigaflops).toBeNull();
  });

  it('gives nothing for an empty profile', () => {
    expect(summarizeProfile([])).toEqual({ totalMs: 0, productShare: 0, operators: [], shapes: [] });
  });
});

describe('profileTables', () => {
  it('shows the longest parts with their share', () => {
    const summary = summarizeProfile([kernel('Softmax', 1_000), kernel('Mul', 3_000), kernel('Add', 6_000)]);
    expect(profileTables(summary, 2)[0]?.rows).toEqual([
      ['Add', '6', '60.0 %', '1', ''],
      ['Mul', '3', '30.0 %', '1', ''],
    ]);
  });
});
