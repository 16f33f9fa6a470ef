/** Cases of the operations on matrices in quantized blocks: [3, 64], every kind of block. */
import type { BlockForm } from '../../../../src/core/formats/weightBlocks.ts';
import { applyOperation, type Value } from '../../../../src/core/graph/graph.ts';
import { type BlockMatrix, blockProduct, gatherBlockRows } from '../../../../src/core/graph/operations/blockProduct.ts';
import { crossEntropy } from '../../../../src/core/graph/operations/crossEntropy.ts';
import { operationTable } from '../../../../src/core/graph/operationTable.ts';
import type { CaseInput, OperationCase } from './caseInputs.ts';
import { crossEntropyReference, matmulReference, swapReference } from './references.ts';
import { seededNumbers } from './seededNumbers.ts';

type Inputs = Record<string, readonly number[]>;

const inner = 64;
const kinds: readonly (readonly [title: string, form: BlockForm])[] = [
  ['4 bit', { bits: 4, blockElements: 32, scaleType: 'float32', hasMinimum: false }],
  ['4 bit with minimums', { bits: 4, blockElements: 32, scaleType: 'float32', hasMinimum: true }],
  ['8 bit in blocks of 16', { bits: 8, blockElements: 16, scaleType: 'float32', hasMinimum: false }],
  ['8 bit with minimums', { bits: 8, blockElements: 32, scaleType: 'float32', hasMinimum: true }],
];

const floats = (seed: number, shape: readonly (number | string)[], count: number, largest = 1): CaseInput => ({
  shape,
  dtype: 'float',
  values: seededNumbers(seed, count, -largest, largest),
});

function makeMatrix(
  prefix: string,
  seed: number,
  out: number,
  form: BlockForm,
  largestScale = 1,
): Record<string, CaseInput> {
  const { bits, blockElements, hasMinimum } = form;
  const blocks = inner / blockElements;
  const bytes = (blockElements * bits) / 8;
  const [from, to] = bits === 4 ? [0, 256] : [-128, 128];
  return {
    [`${prefix}codes`]: {
      shape: [out, blocks, bytes],
      dtype: bits === 4 ? 'uint8' : 'int8',
      values: seededNumbers(seed, out * blocks * bytes, from, to).map(Math.floor),
    },
    [`${prefix}scales`]: floats(seed + 1, [out, blocks], out * blocks, largestScale),
    ...(hasMinimum ? { [`${prefix}minimums`]: floats(seed + 2, [out, blocks], out * blocks) } : {}),
  };
}

function toMatrix(prefix: string, values: Record<string, Value>, form: BlockForm): BlockMatrix {
  const names = ['codes', 'scales', ...(form.hasMinimum ? ['minimums'] : [])];
  return { form, parts: names.map(name => values[prefix + name]!) };
}

/** Element by element, as the formats' documents say. */
function decode(prefix: string, inputs: Inputs, { bits, blockElements, hasMinimum }: BlockForm): number[] {
  const codes = inputs[`${prefix}codes`]!;
  const scales = inputs[`${prefix}scales`]!;
  return Array.from({ length: scales.length * blockElements }, (_, at) => {
    const block = Math.floor(at / blockElements);
    const place = at % blockElements;
    const half = blockElements / 2;
    const pair = codes[block * half + (place % half)]!;
    const nibble = place < half ? pair % 16 : Math.floor(pair / 16);
    const code = bits === 8 ? codes[at]! : hasMinimum ? nibble : nibble - 8;
    return code * scales[block]! + (hasMinimum ? inputs[`${prefix}minimums`]![block]! : 0);
  });
}

export const blockCases: Record<'blockProduct' | 'blockProductGradient' | 'gatherBlockRows', readonly OperationCase[]> =
  {
    blockProduct: kinds.map(([title, form]) => ({
      title: `with ${title}`,
      inputs: { x: floats(5, [2, inner], 2 * inner), ...makeMatrix('', 11, 3, form) },
      build: values => [blockProduct(values.x!, toMatrix('', values, form))],
      shapes: [[2, 3]],
      expected: inputs => [matmulReference(inputs.x!, swapReference(decode('', inputs, form), 3, inner), 2, inner, 3)],
      differentiable: ['x'],
    })),
    blockProductGradient: kinds.map(([title, form]) => ({
      title: `with ${title}`,
      inputs: { dy: floats(7, [2, 3], 6), ...makeMatrix('', 13, 3, form) },
      build: values => {
        const { parts } = toMatrix('', values, form);
        return applyOperation(operationTable.blockProductGradient, [values.dy!, ...parts], form);
      },
      shapes: [[2, inner]],
      expected: inputs => [matmulReference(inputs.dy!, decode('', inputs, form), 2, 3, inner)],
    })),
    gatherBlockRows: kinds.map(([title, form]) => ({
      title: `with ${title} in shards`,
      inputs: {
        rows: { shape: [2, 2], dtype: 'int32', values: [4, 0, 3, 1] },
        ...makeMatrix('first ', 17, 3, form),
        ...makeMatrix('second ', 19, 2, form),
      },
      build: values => [
        gatherBlockRows([toMatrix('first ', values, form), toMatrix('second ', values, form)], values.rows!),
      ],
      shapes: [[2, 2, inner]],
      expected: inputs => {
        const table = [...decode('first ', inputs, form), ...decode('second ', inputs, form)];
        return [inputs.rows!.flatMap(row => table.slice(row * inner, (row + 1) * inner))];
      },
    })),
  };

export const blockLossCases: readonly OperationCase[] = kinds.map(([title, form]) => ({
  title: `of a head with ${title}, in shards and chunks, one of them empty`,
  inputs: {
    h: floats(23, ['N', inner], 5 * inner, 0.02),
    labels: { shape: ['N'], dtype: 'int32', values: [0, 4, 2, 3, 1] },
    weights: { ...floats(29, ['N'], 5), values: seededNumbers(29, 5, 0, 2) },
    ...makeMatrix('first ', 31, 3, form, 0.1),
    ...makeMatrix('second ', 37, 2, form, 0.1),
  },
  sizes: { N: 5 },
  build: values => {
    const head = [toMatrix('first ', values, form), toMatrix('second ', values, form)];
    const attributes = { chunkRows: 3, maxRows: 9, gradients: 'hidden' } as const;
    const loss = crossEntropy(values.h!, head, values.labels!, values.weights!, attributes);
    return [loss.lossSum, loss.losses];
  },
  shapes: [[], ['N']],
  expected: inputs => {
    const table = [...decode('first ', inputs, form), ...decode('second ', inputs, form)];
    const losses = crossEntropyReference(inputs.h!, table, inputs.labels!, inner);
    return [[losses.reduce((sum, loss, i) => sum + loss * inputs.weights![i]!, 0)], losses];
  },
  differentiable: ['h'],
  differentiableOutputs: [0],
}));
