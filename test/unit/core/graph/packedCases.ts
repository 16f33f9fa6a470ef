/** Cases of the operations on packed blocks: [3, 64], every kind of block that they know. */
import type { PackedForm } from '../../../../src/core/formats/packedMatrix.ts';
import type { Value } from '../../../../src/core/graph/graph.ts';
import { packedLinear } from '../../../../src/core/graph/operations/packedLinear.ts';
import { type PackedTable, packedRows } from '../../../../src/core/graph/operations/packedRows.ts';
import { type CaseInput, floats, integers, type OperationCase } from './caseInputs.ts';
import { matmulReference, swapReference } from './references.ts';
import { seededNumbers } from './seededNumbers.ts';

type Inputs = Record<string, readonly number[]>;

const inner = 64;
const kinds: readonly (readonly [title: string, form: PackedForm])[] = [
  ['4 bit', { bits: 4, blockElements: 32, hasMinimum: false }],
  ['4 bit with offsets', { bits: 4, blockElements: 32, hasMinimum: true }],
  ['8 bit', { bits: 8, blockElements: 32, hasMinimum: false }],
  ['8 bit with offsets', { bits: 8, blockElements: 32, hasMinimum: true }],
  ['8 bit in blocks of 16', { bits: 8, blockElements: 16, hasMinimum: false }],
];

function makeMatrix(prefix: string, out: number, { bits, blockElements, hasMinimum }: PackedForm) {
  const blocks = inner / blockElements;
  const bytes = (blockElements * bits) / 8;
  const codes = seededNumbers(out * bits, out * blocks * bytes, 0, 256).map(Math.floor);
  return {
    [`${prefix}codes`]: { shape: [out, blocks, bytes], dtype: 'uint8', values: codes },
    [`${prefix}scales`]: floats([out, blocks], 0.01, 0.1),
    ...(hasMinimum ? { [`${prefix}offsets`]: floats([out, blocks], -1, 1) } : {}),
  } as const satisfies Record<string, CaseInput>;
}

function toTable(prefix: string, values: Record<string, Value>, form: PackedForm): PackedTable {
  return {
    form,
    codes: values[`${prefix}codes`]!,
    scales: values[`${prefix}scales`]!,
    offsets: values[`${prefix}offsets`],
  };
}

/** Element by element, without the offsets of the blocks. */
function decode(prefix: string, inputs: Inputs, { bits, blockElements }: PackedForm): number[] {
  const codes = inputs[`${prefix}codes`]!;
  const scales = inputs[`${prefix}scales`]!;
  return Array.from({ length: scales.length * blockElements }, (_, at) => {
    const byte = codes[bits === 4 ? Math.floor(at / 2) : at]!;
    const code = bits === 8 ? byte : at % 2 === 0 ? byte % 16 : Math.floor(byte / 16);
    return (code - (bits === 8 ? 128 : 8)) * scales[Math.floor(at / blockElements)]!;
  });
}

function decodeWithOffsets(prefix: string, inputs: Inputs, form: PackedForm): number[] {
  const offsets = inputs[`${prefix}offsets`];
  return decode(prefix, inputs, form).map((value, at) => value + (offsets?.[Math.floor(at / form.blockElements)] ?? 0));
}

function addProduct(y: readonly number[], ...product: Parameters<typeof matmulReference>): number[] {
  const added = matmulReference(...product);
  return y.map((value, at) => value + added[at]!);
}

function sumBlocks(x: readonly number[], blockElements: number): number[] {
  return Array.from({ length: x.length / blockElements }, (_, block) =>
    x.slice(block * blockElements, (block + 1) * blockElements).reduce((sum, value) => sum + value, 0),
  );
}

function linearCase(title: string, form: PackedForm, hasAdapter: boolean): OperationCase {
  const [out, rank] = [3, 2];
  const blocks = form.hasMinimum ? inner / form.blockElements : 0;
  const columns = blocks + (hasAdapter ? rank : 0);
  return {
    title: `with ${title}${hasAdapter ? ' and an adapter' : ''}`,
    floatTypes: ['float32'],
    inputs: {
      x: floats([2, inner]),
      ...makeMatrix('', out, { ...form, hasMinimum: false }),
      ...(hasAdapter ? { a: floats([rank, inner]) } : {}),
      ...(columns > 0 ? { b: floats([out, columns]) } : {}),
    },
    build: values => [packedLinear(values.x!, toTable('', values, form), values.b && { a: values.a, b: values.b })],
    shapes: [[2, out]],
    expected: inputs => {
      const { x, a, b } = inputs;
      const wide = matmulReference(x!, swapReference(decode('', inputs, form), out, inner), 2, inner, out);
      if (columns === 0) return [wide];
      const down = a ? matmulReference(x!, swapReference(a, rank, inner), 2, inner, rank) : [];
      const sums = form.hasMinimum ? sumBlocks(x!, form.blockElements) : [];
      const [left, right] = [down.length / 2, sums.length / 2];
      const side = [0, 1].flatMap(row => [
        ...down.slice(row * left, (row + 1) * left),
        ...sums.slice(row * right, (row + 1) * right),
      ]);
      return [addProduct(wide, side, swapReference(b!, out, columns), 2, columns, out)];
    },
  };
}

export const packedCases: Record<'packedLinear' | 'packedRows', readonly OperationCase[]> = {
  packedLinear: kinds.flatMap(([title, form]) => [linearCase(title, form, false), linearCase(title, form, true)]),
  packedRows: kinds.map(([title, form]) => ({
    title: `of two shards with ${title}`,
    floatTypes: ['float32'],
    inputs: {
      rows: integers([2, 2], [4, 0, 2, 3], 'int64'),
      ...makeMatrix('first', 3, form),
      ...makeMatrix('second', 2, form),
    },
    build: values => {
      const shards = ['first', 'second'].map(prefix => toTable(prefix, values, form));
      return [packedRows(shards, values.rows!)];
    },
    shapes: [[2, 2, inner]],
    expected: inputs => {
      const table = ['first', 'second'].flatMap(prefix => decodeWithOffsets(prefix, inputs, form));
      return [inputs.rows!.flatMap(row => table.slice(row * inner, (row + 1) * inner))];
    },
  })),
};
