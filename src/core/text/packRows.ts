/**
 * @file Encoded rows -> packs of rows that fill one context together, and packs -> the batch that the trainer takes.
 * Packing is best-fit decreasing (Johnson 1974; as in TRL's "bfd"): longest rows first, each into the fullest pack that
 * still holds it. Rows are never split. Each row is a segment of its own whose positions restart at 0, so that packing
 * changes the cost of a step and nothing that is learned.
 */
import type { EncodedRow, PackedBatch } from './packedBatch.ts';

/** Indices into the rows, in the order in which they stand in the context. */
export type Pack = readonly number[];

/**
 * Packs of rows; every row is in exactly one.
 * @param order decides between rows of one length, see permute.
 */
export function packRows(rows: readonly EncodedRow[], contextTokens: number, order: ArrayLike<number>): Pack[] {
  const longestFirst = Array.from(order).sort((a, b) => rows[b]!.tokenIds.length - rows[a]!.tokenIds.length);
  const packs: number[][] = [];
  const byRoom = new RoomIndex(contextTokens);
  for (const row of longestFirst) {
    const length = rows[row]!.tokenIds.length;
    if (length > contextTokens) throw new RangeError(`internal: row of ${length} tokens for ${contextTokens}`);
    const found = byRoom.takeTightest(length);
    const pack = found?.pack ?? packs.push([]) - 1;
    packs[pack]!.push(row);
    byRoom.add(pack, (found?.room ?? contextTokens) - length);
  }
  return packs;
}

/** One row a pack: padding instead of packing. */
export function keepRowsApart(rows: readonly EncodedRow[]): Pack[] {
  return rows.map((_, row) => [row]);
}

/** Open packs by the tokens that still fit, with a segment tree over the room so that a search takes log(context). */
class RoomIndex {
  readonly #packsByRoom: number[][];
  /** Leaf r of the tree is true when some pack has room r; inner nodes are the or of their children. */
  readonly #tree: Uint8Array;
  readonly #leaves: number;

  constructor(contextTokens: number) {
    this.#packsByRoom = Array.from({ length: contextTokens + 1 }, () => []);
    this.#leaves = 2 ** Math.ceil(Math.log2(contextTokens + 1));
    this.#tree = new Uint8Array(2 * this.#leaves);
  }

  add(pack: number, room: number): void {
    this.#packsByRoom[room]!.push(pack);
    this.#mark(room);
  }

  /** Removes and gives the pack with the least room that is enough; of equals the latest. */
  takeTightest(length: number): { pack: number; room: number } | null {
    const room = this.#findFrom(length);
    if (room === null) return null;
    const pack = this.#packsByRoom[room]!.pop()!;
    this.#mark(room);
    return { pack, room };
  }

  #mark(room: number): void {
    let node = this.#leaves + room;
    this.#tree[node] = this.#packsByRoom[room]!.length > 0 ? 1 : 0;
    while ((node >>= 1) > 0) this.#tree[node] = this.#tree[2 * node]! | this.#tree[2 * node + 1]!;
  }

  /** The first room of at least `length` that a pack has. */
  #findFrom(length: number): number | null {
    let node = this.#leaves + length;
    while (!this.#tree[node]) {
      while (node > 1 && node % 2 === 1) node >>= 1;
      if (node <= 1) return null;
      node += 1;
    }
    while (node < this.#leaves) node = this.#tree[2 * node] ? 2 * node : 2 * node + 1;
    return node - this.#leaves;
  }
}

/** Batches are as wide as their longest pack, in steps of this many tokens: few widths, little padding. */
const widthStep = 64;

/**
 * @param contextTokens the widest that a batch may be.
 * @param padTokenId stands where no row is; it is never attended to, and never a label.
 */
export function buildBatch(
  rows: readonly EncodedRow[],
  packs: readonly Pack[],
  contextTokens: number,
  padTokenId: number,
): PackedBatch {
  const longest = Math.max(...packs.map(pack => pack.reduce((sum, row) => sum + rows[row]!.tokenIds.length, 0)));
  const width = Math.min(contextTokens, Math.ceil(longest / widthStep) * widthStep);
  const size = packs.length * width;
  const tokenIds = new Int32Array(size).fill(padTokenId);
  const positions = new Int32Array(size);
  const segments = new Int32Array(size).fill(-1);
  const targetPositions: number[] = [];
  const labels: number[] = [];
  const packed: EncodedRow[] = [];
  let tokens = 0;
  for (const [b, pack] of packs.entries()) {
    let at = b * width;
    for (const [segment, index] of pack.entries()) {
      const { tokenIds: ids, supervised } = rows[index]!;
      packed.push(rows[index]!);
      tokenIds.set(ids, at);
      segments.fill(segment, at, at + ids.length);
      for (let i = 0; i < ids.length; i++) {
        positions[at + i] = i;
        if (i === 0 || supervised[i] !== 1) continue;
        targetPositions.push(at + i - 1);
        labels.push(ids[i]!);
      }
      at += ids.length;
      tokens += ids.length;
    }
  }
  return {
    batchRows: packs.length,
    contextTokens: width,
    tokenIds,
    positions,
    segments,
    targetPositions: Int32Array.from(targetPositions),
    labels: Int32Array.from(labels),
    labelWeights: new Float32Array(labels.length).fill(1),
    tokens,
    rows: packed,
  };
}
