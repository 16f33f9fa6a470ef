/**
 * @file Causal grouped-query attention over packed rows, and its gradient. A token attends to the tokens of its own
 * segment up to itself, or to the last of them only (a sliding window). Queries are taken a block at a time; keys that
 * none of them sees are skipped. The gradient computes the probabilities again from q and k, as FlashAttention does, so
 * that no [T, T] is kept between the passes.
 * @see https://arxiv.org/abs/2305.13245 (grouped queries) and https://arxiv.org/abs/2205.14135 (recomputation)
 */
import { applyOperation, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { type Dim, dimAt, multiplyDims, type Shape, staticDim } from '../shape.ts';
import { emitSoftcap, emitSoftcapSlope } from './softcap.ts';

export interface AttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  /** What the products of q and k are multiplied by, usually 1 / sqrt(D). */
  readonly factor: number;
  /** The most tokens that a token sees, itself included; absent: all before it. */
  readonly windowTokens?: number | undefined;
  /** Scores s become cap x tanh(s / cap) before the softmax. */
  readonly softcap?: number | undefined;
  /** Queries at a time. */
  readonly blockTokens: number;
  /** False lets a graph that runs both passes in a row use the forward pass's probabilities again. */
  readonly recompute: boolean;
}

export const attentionOperation: Operation<AttentionAttributes> = {
  name: 'attention',
  infer([q, k, v, segments], { heads, keyValueHeads }) {
    const tokens = multiplyDims(...segments!.shape);
    const headSize = staticDim(q!.shape, 1) / heads;
    const isKeyShape = (shape: Shape): boolean =>
      dimAt(shape, 0) === tokens && dimAt(shape, 1) === headSize * keyValueHeads;
    if (
      dimAt(q!.shape, 0) !== tokens ||
      !isKeyShape(k!.shape) ||
      !isKeyShape(v!.shape) ||
      heads % keyValueHeads !== 0
    ) {
      throw new Error('internal: attention: expected q [B*T, H*D], k and v [B*T, K*D], segments [B, T]');
    }
    return [{ dtype: q!.dtype, shape: q!.shape }];
  },
  gradient({ inputs: [q, k, v, segments], outputs: [y], attributes, outputGradients: [gradient] }) {
    return gradient
      ? applyOperation(attentionGradientOperation, [q!, k!, v!, segments!, y!, gradient], attributes)
      : [];
  },
  lower(emit, [q, k, v, segments], attributes) {
    const { heads, keyValueHeads } = attributes;
    const layout = new HeadLayout(emit, segments!, q!, attributes);
    const { rows, tokens, headSize } = layout;
    const queries = layout.hideShape(layout.splitHeads(q!.name, heads), [rows, heads, tokens, headSize]);
    const keys = layout.hideShape(layout.splitKeys(k!.name), [rows, keyValueHeads, headSize, tokens]);
    const values = layout.hideShape(layout.splitHeads(v!.name, keyValueHeads), [rows, keyValueHeads, tokens, headSize]);
    const parts = layout.blocks.map(block => {
      const { probabilities } = layout.emitProbabilities(queries, keys, block);
      const attended = emit.node('MatMul', [probabilities, layout.seen(values, block, 2)]); // [B, K, G*t, D]
      return layout.reshape(attended, [rows, heads, block.end - block.start, headSize]);
    });
    return [layout.joinHeads(layout.concatenate(parts), heads)];
  },
};

/**
 * q [B*T, H*D], k and v [B*T, K*D] -> [B*T, H*D].
 * @param segments int32 [B, T]: tokens of equal number within a row belong together
 */
export function attention(q: Value, k: Value, v: Value, segments: Value, attributes: AttentionAttributes): Value {
  return applyOperation(attentionOperation, [q, k, v, segments], attributes)[0]!;
}

/** With more blocks than this, a block's gradient waits for that of the one before, lest all their scores be there at a time. */
const maxBlocksTogether = 2;
/** With more, the way back makes its masks itself instead of keeping them. */
const maxKeptMasks = 8;

/**
 * With P the probabilities of a block and dy its output gradient: dV = P^T dy; dS = P (dy V^T - rowsum(dy y)), the
 * softmax's gradient, whose row sum needs no P; dQ = factor dS K; dK = factor dS^T Q. Capped scores multiply dS by
 * 1 - tanh(s / cap)^2.
 */
export const attentionGradientOperation: Operation<AttentionAttributes> = {
  name: 'attentionGradient',
  infer: ([q, k, v]) => [q!, k!, v!].map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: 'none',
  lower(emit, [q, k, v, segments, y, outputGradient], attributes) {
    const { heads, keyValueHeads, factor, recompute } = attributes;
    const again = (tensor: string, shape: Shape): string =>
      recompute ? emit.after(tensor, shape, outputGradient!.name) : layout.hideShape(tensor, shape);
    const isLong = Math.ceil(staticDim(segments!.shape, 1) / attributes.blockTokens) > maxKeptMasks;
    const ownSegments =
      isLong && recompute
        ? { ...segments!, name: emit.after(segments!.name, segments!.shape, outputGradient!.name) }
        : segments!;
    const layout = new HeadLayout(emit, ownSegments, q!, attributes);
    const { rows, tokens, headSize } = layout;
    // A single block reshapes queries without slicing, so there is no slice of theirs to keep (see `emit.after`).
    const perQuery = [rows, heads, tokens, headSize];
    const sharedQueries = layout.splitHeads(q!.name, heads);
    const isSliced = layout.blocks.length > 1;
    const queries = isSliced ? again(sharedQueries, perQuery) : sharedQueries;
    const keys = again(layout.splitKeys(k!.name), [rows, keyValueHeads, headSize, tokens]);
    const values = again(layout.splitHeads(v!.name, keyValueHeads), [rows, keyValueHeads, tokens, headSize]);
    const sharedGradients = layout.splitHeads(outputGradient!.name, heads);
    const gradients = layout.hideShape(sharedGradients, perQuery);
    const rowSums = layout.hideShape(layout.emitRowSums(y!.name, outputGradient!.name), [rows, heads, tokens, 1]);
    const transpose = (tensor: string): string =>
      emit.node('Transpose', [tensor], { attributes: { perm: [0, 1, 3, 2] } });
    const scale = (tensor: string): string => emit.node('Mul', [tensor, emit.floats([factor], [])]);

    const queryParts: string[] = [];
    let keySum: string | undefined;
    let valueSum: string | undefined;
    const addTo = (sum: string | undefined, part: string): string =>
      sum === undefined ? part : emit.node('Add', [sum, part]);
    for (const block of layout.blocks) {
      const before = [keySum, valueSum, queryParts.at(-1)].filter(part => part !== undefined);
      const waits = layout.blocks.length > maxBlocksTogether && before.length > 0;
      const own = (tensor: string): string => emit.after(tensor, perQuery, ...before);
      const ownQueries = waits ? own(sharedQueries) : queries;
      const ownGradients = waits ? own(sharedGradients) : gradients;
      const { probabilities, slopes } = layout.emitProbabilities(ownQueries, keys, block); // [B, K, G*t, seen]
      const blockGradient = layout.groupBlock(ownGradients, block, headSize); // [B, K, G*t, D]
      const toValues = emit.node('MatMul', [transpose(probabilities), blockGradient]); // [B, K, seen, D]
      valueSum = addTo(valueSum, layout.padToTokens(toValues, block));
      const flowing = emit.node('MatMul', [blockGradient, transpose(layout.seen(values, block, 2))]);
      const centred = emit.node('Sub', [flowing, layout.groupBlock(rowSums, block, 1)]);
      const weighted = emit.node('Mul', [probabilities, centred]);
      const scores = slopes === undefined ? weighted : emit.node('Mul', [weighted, slopes]); // [B, K, G*t, seen]
      const toQueries = scale(emit.node('MatMul', [scores, transpose(layout.seen(keys, block, 3))]));
      queryParts.push(layout.reshape(toQueries, [rows, heads, block.end - block.start, headSize]));
      const blockQueries = layout.groupBlock(ownQueries, block, headSize);
      const toKeys = scale(emit.node('MatMul', [transpose(scores), blockQueries])); // [B, K, seen, D]
      keySum = addTo(keySum, layout.padToTokens(toKeys, block));
    }
    return [
      layout.joinHeads(layout.concatenate(queryParts), heads),
      layout.joinHeads(keySum!, keyValueHeads),
      layout.joinHeads(valueSum!, keyValueHeads),
    ];
  },
};

/** Queries `start` to `end`, which see keys `from` to `end`. */
interface Block {
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The bookkeeping both passes share: heads apart and together, blocks, masks. G = H / K queries share a key head.
 *
 * Where there are several blocks, ONNX Runtime must not know the shapes of what has a row for each query and a column for
 * each key: it plans to use the memory of tensors of equal known shape again, and holds it until then. The scores of every
 * block of the forward pass would wait for those of the same block on the way back, and be in memory all together.
 */
class HeadLayout {
  readonly rows: Dim;
  readonly tokens: number;
  readonly headSize: number;
  readonly blocks: readonly Block[];
  private readonly emit: OnnxEmitter;
  private readonly segments: Operand;
  private readonly attributes: AttentionAttributes;

  constructor(emit: OnnxEmitter, segments: Operand, q: Operand, attributes: AttentionAttributes) {
    this.emit = emit;
    this.segments = segments;
    this.attributes = attributes;
    this.rows = dimAt(segments.shape, 0);
    this.tokens = staticDim(segments.shape, 1);
    this.headSize = staticDim(q.shape, 1) / attributes.heads;
    const { blockTokens, windowTokens = this.tokens } = attributes;
    this.blocks = Array.from({ length: Math.ceil(this.tokens / blockTokens) }, (_, index) => {
      const start = index * blockTokens;
      const end = Math.min(this.tokens, start + blockTokens);
      return { from: Math.max(0, start - windowTokens + 1), start, end };
    });
  }

  /** `tensor` unchanged and uncopied, of a shape that is not known before the graph runs; a single block's keeps its own. */
  hideShape(tensor: string, shape: Shape): string {
    return this.blocks.length > 1 ? this.emit.after(tensor, shape, this.segments.name) : tensor;
  }

  /** A Reshape that lets the size of one axis, heads unless said otherwise, stay hidden if it is. */
  reshape(tensor: string, shape: Shape, hidden = 1): string {
    const isKnown = this.blocks.length === 1 || shape.some((dim, axis) => axis !== hidden && typeof dim !== 'number');
    return this.emit.reshape(tensor, isKnown ? shape : shape.map((dim, axis) => (axis === hidden ? '?' : dim)));
  }

  /** [B*T, n*D] -> [B, n, T, D] */
  splitHeads(tensor: string, heads: number): string {
    return this.splitAs(tensor, heads, [0, 2, 1, 3]);
  }

  /** [B*T, K*D] -> [B, K, D, T], ready to be the right side of q k^T */
  splitKeys(tensor: string): string {
    return this.splitAs(tensor, this.attributes.keyValueHeads, [0, 2, 3, 1]);
  }

  /** [B, n, T, D] -> [B*T, n*D] */
  joinHeads(tensor: string, heads: number): string {
    const swapped = this.emit.node('Transpose', [tensor], { attributes: { perm: [0, 2, 1, 3] } });
    return this.emit.reshape(swapped, [multiplyDims(this.rows, this.tokens), heads * this.headSize]);
  }

  concatenate(parts: readonly string[]): string {
    return parts.length === 1 ? parts[0]! : this.emit.node('Concat', parts, { attributes: { axis: 2 } });
  }

  /** The part of a tensor that a block's queries may see. */
  seen(tensor: string, { from, end }: Block, axis: number): string {
    return from === 0 && end === this.tokens ? tensor : this.slice(tensor, from, end, axis);
  }

  /** [B, H, T, width] -> a block's queries, grouped by the key head they share: [B, K, G*t, width] */
  groupBlock(tensor: string, { start, end }: Block, width: number): string {
    const part = this.blocks.length === 1 ? tensor : this.slice(tensor, start, end, 2);
    const { heads, keyValueHeads } = this.attributes;
    return this.reshape(part, [this.rows, keyValueHeads, (heads / keyValueHeads) * (end - start), width]);
  }

  /**
   * queries [B, H, T, D], keys [B, K, D, T] -> probabilities of a block's queries [B, K, G*t, seen] and, where scores are
   * capped, the slopes of the cap in the same shape.
   */
  emitProbabilities(queries: string, keys: string, block: Block): { probabilities: string; slopes?: string } {
    const { emit } = this;
    const { heads, keyValueHeads, factor, softcap } = this.attributes;
    const { from, start, end } = block;
    const groups = heads / keyValueHeads;
    const blockQueries = this.groupBlock(queries, block, this.headSize);
    const products = emit.node('MatMul', [blockQueries, this.seen(keys, block, 3)]);
    const scores = emit.node('Mul', [products, emit.floats([factor], [])]);
    const capped = softcap === undefined ? undefined : emitSoftcap(emit, scores, softcap);
    const apart = this.reshape(capped?.y ?? scores, [this.rows, keyValueHeads, groups, end - start, end - from]);
    const masked = emit.node('Add', [apart, this.emitMask(block)]);
    const softmax = emit.node('Softmax', [masked], { attributes: { axis: -1 } });
    const probabilities = this.reshape(softmax, [this.rows, keyValueHeads, groups * (end - start), end - from]);
    return capped === undefined ? { probabilities } : { probabilities, slopes: emitSoftcapSlope(emit, capped.tanh) };
  }

  /** The sums of y dy over each head's elements: [B*T, H*D] twice -> [B, H, T, 1] */
  emitRowSums(y: string, gradient: string): string {
    const products = this.emit.reshape(this.emit.node('Mul', [y, gradient]), [
      this.rows,
      this.tokens,
      this.attributes.heads,
      this.headSize,
    ]);
    const sums = this.emit.node('ReduceSum', [products, this.emit.ints([-1])], { attributes: { keepdims: 1 } });
    return this.emit.node('Transpose', [sums], { attributes: { perm: [0, 2, 1, 3] } });
  }

  /** [B, K, seen, D] -> [B, K, T, D], zero for the keys that the block does not see */
  padToTokens(tensor: string, { from, end }: Block): string {
    if (from === 0 && end === this.tokens) return tensor;
    return this.emit.node('Pad', [tensor, this.emit.ints([from, this.tokens - end]), '', this.emit.ints([2])]);
  }

  /**
   * 0 where a block's query may see a key, else so low that its probability is exactly 0; [B, 1, 1, t, seen]. One for all
   * layers with the same window.
   */
  private emitMask({ from, start, end }: Block): string {
    const { emit, segments } = this;
    const { windowTokens } = this.attributes;
    const hasWindow = windowTokens !== undefined && windowTokens < end;
    return emit.once(`mask|${segments.name}|${start}|${end}|${hasWindow ? windowTokens : 'all'}`, () => {
      const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
      const own = this.hideShape(segments.name, segments.shape);
      const querySegments = this.reshape(this.slice(own, start, end, 1), [this.rows, 1, 1, end - start, 1], 0);
      const keySegments = this.reshape(this.slice(own, from, end, 1), [this.rows, 1, 1, 1, end - from], 0);
      const keyColumns = emit.ints(numbers(from, end), [1, end - from]);
      const isPast = emit.node('GreaterOrEqual', [emit.ints(numbers(start, end), [end - start, 1]), keyColumns]);
      const inSegment = emit.node('And', [emit.node('Equal', [querySegments, keySegments]), isPast]);
      // The last token that is too far away for a query.
      const lastHidden = (): string =>
        emit.ints(
          numbers(start, end).map(query => query - windowTokens!),
          [end - start, 1],
        );
      const isVisible = hasWindow
        ? emit.node('And', [inSegment, emit.node('Greater', [keyColumns, lastHidden()])])
        : inSegment;
      return emit.node('Where', [isVisible, emit.floats([0], []), emit.floats([-1e9], [])]);
    });
  }

  private splitAs(tensor: string, heads: number, perm: readonly number[]): string {
    const apart = this.emit.reshape(tensor, [this.rows, this.tokens, heads, this.headSize]);
    return this.emit.node('Transpose', [apart], { attributes: { perm } });
  }

  private slice(tensor: string, start: number, end: number, axis: number): string {
    const { emit } = this;
    return emit.node('Slice', [tensor, emit.ints([start]), emit.ints([end]), emit.ints([axis])]);
  }
}
