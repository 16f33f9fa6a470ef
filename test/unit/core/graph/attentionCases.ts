/** Cases of attention in training and over a cache: windows, capped scores, head sizes with and without a kernel. */
import { applyOperation } from '../../../../src/core/graph/graph.ts';
import { attention } from '../../../../src/core/graph/operations/attention.ts';
import { cachedAttention } from '../../../../src/core/graph/operations/cachedAttention.ts';
import { presentAttention } from '../../../../src/core/graph/operations/presentAttention.ts';
import { operationTable } from '../../../../src/core/graph/operationTable.ts';
import { type CaseInput, floats, integers, type OperationCase } from './caseInputs.ts';
import * as reference from './references.ts';
import { seededNumbers } from './seededNumbers.ts';

const sizes: reference.AttentionSizes = { rows: 2, tokens: 5, heads: 4, keyValueHeads: 2, headSize: 2 };
const segments = [0, 0, 1, 1, 1, 0, 0, 0, 0, -1];
const attentionInputs = (): Record<string, CaseInput> => ({
  q: floats([10, 8], -2, 2),
  k: floats([10, 4], -2, 2),
  v: floats([10, 4]),
  segments: integers([2, 5], segments),
});
const attributes = { heads: 4, keyValueHeads: 2, factor: Math.SQRT1_2, recompute: true };

interface Variant {
  readonly title: string;
  readonly windowTokens?: number;
  readonly softcap?: number;
}
const variants: readonly Variant[] = [
  { title: '' },
  { title: ', a window of two', windowTokens: 2 },
  { title: ', capped', softcap: 0.8 },
  { title: ', capped in a window of three', windowTokens: 3, softcap: 0.8 },
];

function attentionCase(blockTokens: number, recompute: boolean, { title, ...options }: Variant): OperationCase {
  return {
    title: `in blocks of ${blockTokens} ${recompute ? 'computed again' : 'kept'}${title}`,
    inputs: attentionInputs(),
    build: values => {
      const all = { ...attributes, ...options, blockTokens, recompute };
      return [attention(values.q!, values.k!, values.v!, values.segments!, all)];
    },
    shapes: [[10, 8]],
    expected: ({ q, k, v }) => [reference.attentionReference(q!, k!, v!, segments, { ...sizes, ...options })],
    differentiable: ['q', 'k', 'v'],
  };
}

function gradientCase({ title, ...options }: Variant): OperationCase {
  const attend = (q: readonly number[], k: readonly number[], v: readonly number[]): number[] =>
    reference.attentionReference(q, k, v, segments, { ...sizes, ...options });
  return {
    title: `of two blocks${title}`,
    inputs: { ...attentionInputs(), dy: floats([10, 8]) },
    build: ({ q, k, v, segments: segmentIds, dy }) => {
      const all = { ...attributes, ...options, blockTokens: 3 };
      const y = attention(q!, k!, v!, segmentIds!, all);
      return applyOperation(operationTable.attentionGradient, [q!, k!, v!, segmentIds!, y, dy!], all);
    },
    shapes: [
      [10, 8],
      [10, 4],
      [10, 4],
    ],
    expected: ({ q, k, v, dy }) => [
      reference.differentiate(moved => attend(moved, k!, v!), q!, dy!),
      reference.differentiate(moved => attend(q!, moved, v!), k!, dy!),
      reference.differentiate(moved => attend(q!, k!, moved), v!, dy!),
    ],
  };
}

interface CachedVariant extends Variant {
  readonly headSize: number;
  /** Half of a head's turned elements; 0 turns nothing. */
  readonly half: number;
  /** Tokens before the new ones. */
  readonly past: number;
  /** Of the cache behind them, which holds anything. */
  readonly spare?: number;
  readonly fresh: number;
}

const cachedVariants: readonly CachedVariant[] = [
  { title: 'of two new tokens after three', headSize: 16, half: 8, past: 3, fresh: 2 },
  { title: 'of a token in a cache with room for more', headSize: 16, half: 8, past: 3, spare: 4, fresh: 1 },
  {
    title: 'of two new tokens in a window, in a cache with room for more',
    headSize: 16,
    half: 8,
    past: 4,
    spare: 3,
    fresh: 2,
    windowTokens: 3,
  },
  { title: 'of a prompt', headSize: 16, half: 8, past: 0, fresh: 5 },
  { title: 'of a prompt in a window of two', headSize: 16, half: 8, past: 0, fresh: 5, windowTokens: 2 },
  { title: 'of two new tokens in a window of three', headSize: 16, half: 8, past: 4, fresh: 2, windowTokens: 3 },
  { title: 'of a token in a window of two', headSize: 16, half: 8, past: 4, fresh: 1, windowTokens: 2 },
  { title: 'of two new tokens, capped', headSize: 16, half: 8, past: 3, fresh: 2, softcap: 0.5 },
  { title: 'of a token, capped in a window', headSize: 16, half: 8, past: 3, fresh: 1, softcap: 0.5, windowTokens: 3 },
  { title: 'of heads that are turned in part', headSize: 32, half: 8, past: 3, fresh: 2 },
  { title: 'of heads that are not turned', headSize: 16, half: 0, past: 3, fresh: 2 },
  { title: 'of small heads after three tokens', headSize: 6, half: 3, past: 3, fresh: 2 },
  { title: 'of small heads in a prompt', headSize: 6, half: 2, past: 0, fresh: 4 },
  {
    title: 'of small heads in a window, capped',
    headSize: 6,
    half: 0,
    past: 4,
    fresh: 2,
    windowTokens: 3,
    softcap: 0.5,
  },
];

function cachedCase({ title, headSize, half, past, spare = 0, fresh, ...options }: CachedVariant): OperationCase {
  const [heads, keyValueHeads] = [4, 2];
  const total = past + fresh;
  const room = past + spare;
  const names = { B: 1, S: fresh, 'B*S': fresh, P: room, total };
  const table = (f: (angle: number) => number): CaseInput => ({
    shape: [8, half],
    dtype: 'float',
    values: seededNumbers(3, 8 * half, 0, 1.5).map(f),
  });
  const cache = (): CaseInput => floats(['B', keyValueHeads, 'P', headSize], -1, 1, names);
  return {
    title,
    floatTypes: ['float32'],
    sizes: names,
    inputs: {
      q: floats(['B*S', heads * headSize], -1, 1, names),
      k: floats(['B*S', keyValueHeads * headSize], -1, 1, names),
      v: floats(['B*S', keyValueHeads * headSize], -1, 1, names),
      pastKeys: cache(),
      pastValues: cache(),
      mask: integers(['B', 'total'], new Array<number>(total).fill(1), 'int64'),
      ids: integers(['B', 'S'], new Array<number>(fresh).fill(7)),
      ...(half > 0 ? { cosines: table(Math.cos), sines: table(Math.sin) } : {}),
    },
    build: ({ q, k, v, pastKeys, pastValues, mask, cosines, sines }) => {
      const { attended, newKeys, newValues } = cachedAttention(
        { q: q!, k: k!, v: v! },
        { keys: pastKeys!, values: pastValues! },
        mask!,
        cosines && sines && { cosines, sines },
        { heads, keyValueHeads, factor: 1 / Math.sqrt(headSize), ...options },
      );
      return [attended, newKeys, newValues];
    },
    shapes: [
      ['B*S', heads * headSize],
      ['B', keyValueHeads, 'S', headSize],
      ['B', keyValueHeads, 'S', headSize],
    ],
    expected: ({ q, k, v, pastKeys, pastValues, cosines = [], sines = [] }) => {
      const positions = Array.from({ length: fresh }, (_, i) => past + i);
      const turn = (x: readonly number[], count: number): number[] =>
        reference.rotaryReference(x, positions, cosines, sines, count, half, headSize);
      const all = Array.from({ length: total }, (_, at) => at);
      // Caches are [head, token, D]; the reference wants [token, head * D].
      const extend = (before: readonly number[], added: readonly number[]): number[] =>
        all.flatMap(at =>
          [0, 1].flatMap(head => {
            const from = at < past ? head * room + at : (at - past) * 2 + head;
            return (at < past ? before : added).slice(from * headSize, (from + 1) * headSize);
          }),
        );
      const toCache = (x: readonly number[]): number[] =>
        [0, 1].flatMap(head =>
          all.slice(past).flatMap(at => x.slice((at * 2 + head) * headSize, (at * 2 + head + 1) * headSize)),
        );
      const keys = extend(pastKeys!, turn(k!, keyValueHeads));
      const values = extend(pastValues!, v!);
      const width = heads * headSize;
      const queries = [...new Array<number>(past * width).fill(0), ...turn(q!, heads)];
      const noSegments = new Array<number>(total).fill(0);
      const layout = { rows: 1, tokens: total, heads, keyValueHeads, headSize, ...options };
      const attended = reference.attentionReference(queries, keys, values, noSegments, layout);
      return [attended.slice(past * width), toCache(keys), toCache(values)];
    },
  };
}

/** The same with the cache going out whole, and turned by frequencies instead of tables. */
function presentCase({ title, headSize, half, past, fresh, ...options }: CachedVariant): OperationCase {
  const [heads, keyValueHeads] = [4, 2];
  const total = past + fresh;
  const names = { B: 1, S: fresh, 'B*S': fresh, P: past, total };
  const frequencies = seededNumbers(3, half, 0, 1.5);
  const cache = (): CaseInput => floats(['B', keyValueHeads, 'P', headSize], -1, 1, names);
  const places = Array.from({ length: fresh }, (_, i) => past + i);
  return {
    title,
    floatTypes: ['float32'],
    sizes: names,
    inputs: {
      q: floats(['B*S', heads * headSize], -1, 1, names),
      k: floats(['B*S', keyValueHeads * headSize], -1, 1, names),
      v: floats(['B*S', keyValueHeads * headSize], -1, 1, names),
      pastKeys: cache(),
      pastValues: cache(),
      mask: integers(['B', 'total'], new Array<number>(total).fill(1), 'int64'),
      positions: integers(['B', 'S'], places, 'int64'),
    },
    build: ({ q, k, v, pastKeys, pastValues, mask, positions }) => {
      const { attended, keys, values } = presentAttention(
        { q: q!, k: k!, v: v! },
        { keys: pastKeys!, values: pastValues! },
        mask!,
        positions!,
        {
          heads,
          keyValueHeads,
          factor: 1 / Math.sqrt(headSize),
          rope: half > 0 ? { frequencies, factor: 1 } : undefined,
          ...options,
        },
      );
      return [attended, keys, values];
    },
    shapes: [
      ['B*S', heads * headSize],
      ['B', keyValueHeads, 'total', headSize],
      ['B', keyValueHeads, 'total', headSize],
    ],
    expected: ({ q, k, v, pastKeys, pastValues }) => {
      const table = (f: (angle: number) => number): number[] =>
        Array.from({ length: total }, (_, at) => frequencies.map(frequency => f(at * frequency))).flat();
      const turn = (x: readonly number[], count: number): number[] =>
        reference.rotaryReference(x, places, table(Math.cos), table(Math.sin), count, half, headSize);
      const all = Array.from({ length: total }, (_, at) => at);
      const pick = (before: readonly number[], added: readonly number[], head: number, at: number): number[] => {
        const from = at < past ? head * past + at : (at - past) * 2 + head;
        return (at < past ? before : added).slice(from * headSize, (from + 1) * headSize);
      };
      // The reference wants [token, head * D], the cache is [head, token, D].
      const byToken = (before: readonly number[], added: readonly number[]): number[] =>
        all.flatMap(at => [0, 1].flatMap(head => pick(before, added, head, at)));
      const byHead = (before: readonly number[], added: readonly number[]): number[] =>
        [0, 1].flatMap(head => all.flatMap(at => pick(before, added, head, at)));
      const turned = turn(k!, keyValueHeads);
      const width = heads * headSize;
      const queries = [...new Array<number>(past * width).fill(0), ...turn(q!, heads)];
      const layout = { rows: 1, tokens: total, heads, keyValueHeads, headSize, ...options };
      const attended = reference.attentionReference(
        queries,
        byToken(pastKeys!, turned),
        byToken(pastValues!, v!),
        new Array<number>(total).fill(0),
        layout,
      );
      return [attended.slice(past * width), byHead(pastKeys!, turned), byHead(pastValues!, v!)];
    },
  };
}

export const attentionCases = {
  attention: [2, 5].flatMap(blockTokens =>
    [true, false].flatMap(recompute => variants.map(variant => attentionCase(blockTokens, recompute, variant))),
  ),
  attentionGradient: variants.map(gradientCase),
  cachedAttention: cachedVariants.map(cachedCase),
  presentAttention: cachedVariants.filter(({ spare = 0 }) => spare === 0).map(presentCase),
};
