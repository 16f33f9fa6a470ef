/**
 * @file Texts -> for each the earlier text that it nearly equals. Candidates share a band of MinHash values over character
 * 5-grams of the folded text (Broder 1997; banding as in Leskovec, Rajaraman, Ullman, chapter 3); every candidate is verified by
 * the exact Jaccard similarity of the two sets of 5-grams. A text is compared with texts that are kept alone, so that a
 * chain of small changes does not fall together.
 */
import { setImmediate } from 'node:timers/promises';
import { normalizeText } from '../normalizeQuestion.ts';

const gramCharacters = 5;
const hashCount = 64;
/** Kept texts of one band that are compared with. */
const maxComparedInBand = 64;
const cachedSets = 4096;
const textsATurn = 200;

export interface NearDuplicateOptions {
  readonly similarity: number;
  /** Texts at the beginning that are only compared with, and never found themselves. */
  readonly referenceCount?: number | undefined;
  /** Whether the other texts are compared with those alone, not with each other. */
  readonly isAgainstReferences?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Of a text that repeats another: which, and how similar the two are. */
export interface NearDuplicate {
  readonly of: number;
  readonly similarity: number;
}

/** One entry a text, undefined for those that repeat none. @throws AbortError when cancelled */
export async function findNearDuplicates(
  texts: readonly string[],
  { similarity, referenceCount = 0, isAgainstReferences = false, signal, onProgress }: NearDuplicateOptions,
): Promise<(NearDuplicate | undefined)[]> {
  const { bands, rows } = chooseBands(similarity);
  const buckets = Array.from({ length: bands }, () => new Map<number, number[]>());
  const sets = new GramSets(texts);
  const found: (NearDuplicate | undefined)[] = [];
  const signature = new Uint32Array(hashCount);
  for (const [index, text] of texts.entries()) {
    if (index % textsATurn === textsATurn - 1) {
      await setImmediate();
      signal?.throwIfAborted();
      onProgress?.(index, texts.length);
    }
    const grams = hashGrams(text);
    fillSignature(grams, signature);
    const keys = buckets.map((_, band) => hashBand(signature, band * rows, rows));
    const best = index < referenceCount ? undefined : sets.findBest(grams, listCandidates(buckets, keys), similarity);
    found.push(best);
    if (best !== undefined || (isAgainstReferences && index >= referenceCount)) continue;
    for (const [band, key] of keys.entries()) {
      const bucket = buckets[band]!.get(key);
      if (bucket === undefined) buckets[band]!.set(key, [index]);
      else if (bucket.length < maxComparedInBand) bucket.push(index);
    }
  }
  return found;
}

/** The number of the group of each text: texts that nearly equal each other, directly or through others. @throws AbortError when cancelled */
export async function groupNearDuplicates(
  texts: readonly string[],
  { similarity, signal }: Pick<NearDuplicateOptions, 'similarity' | 'signal'>,
): Promise<Int32Array> {
  const { bands, rows } = chooseBands(similarity);
  const buckets = Array.from({ length: bands }, () => new Map<number, number[]>());
  const sets = new GramSets(texts);
  const groups = Int32Array.from(texts, (_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (groups[root] !== root) root = groups[root] = groups[groups[root]!]!;
    return root;
  };
  const signature = new Uint32Array(hashCount);
  for (const [index, text] of texts.entries()) {
    if (index % textsATurn === textsATurn - 1) {
      await setImmediate();
      signal?.throwIfAborted();
    }
    const grams = hashGrams(text);
    fillSignature(grams, signature);
    const keys = buckets.map((_, band) => hashBand(signature, band * rows, rows));
    // What is joined already need not be compared again.
    for (const candidate of listCandidates(buckets, keys)) {
      if (rootOf(candidate) === rootOf(index)) continue;
      if (sets.findBest(grams, new Set([candidate]), similarity) !== undefined)
        groups[rootOf(index)] = rootOf(candidate);
    }
    for (const [band, key] of keys.entries()) {
      const bucket = buckets[band]!.get(key);
      if (bucket === undefined) buckets[band]!.set(key, [index]);
      else bucket.push(index);
    }
  }
  return groups.map((_, index) => rootOf(index));
}

/** Bands that let through nearly every pair (99 % and more) at the similarity itself. */
function chooseBands(similarity: number): { bands: number; rows: number } {
  const rows = similarity >= 0.75 ? 4 : similarity >= 0.6 ? 3 : 2;
  return { bands: Math.floor(hashCount / rows), rows };
}

function listCandidates(buckets: readonly Map<number, number[]>[], keys: readonly number[]): Set<number> {
  const candidates = new Set<number>();
  for (const [band, key] of keys.entries()) {
    for (const index of buckets[band]!.get(key) ?? []) candidates.add(index);
  }
  return candidates;
}

/** Exact sets of 5-grams, made again when they are needed: most texts are never compared. */
class GramSets {
  private readonly cache = new Map<number, Uint32Array>();
  private readonly texts: readonly string[];

  constructor(texts: readonly string[]) {
    this.texts = texts;
  }

  findBest(grams: Uint32Array, candidates: ReadonlySet<number>, least: number): NearDuplicate | undefined {
    if (candidates.size === 0) return undefined;
    const own = toSet(grams);
    let best: NearDuplicate | undefined;
    for (const index of candidates) {
      const similarity = measureJaccard(own, this.get(index));
      if (similarity >= least && similarity > (best?.similarity ?? 0)) best = { of: index, similarity };
    }
    return best;
  }

  private get(index: number): Uint32Array {
    const known = this.cache.get(index);
    if (known !== undefined) return known;
    if (this.cache.size >= cachedSets) this.cache.clear();
    const set = toSet(hashGrams(this.texts[index]!));
    this.cache.set(index, set);
    return set;
  }
}

/** A hash for each 5-gram of the folded text; a shorter text is one gram. */
export function hashGrams(text: string): Uint32Array {
  const folded = normalizeText(text);
  const count = Math.max(1, folded.length - gramCharacters + 1);
  const grams = new Uint32Array(count);
  for (let start = 0; start < count; start++) {
    let hash = 0x811c9dc5;
    const end = Math.min(folded.length, start + gramCharacters);
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ folded.charCodeAt(at), 0x01000193);
    grams[start] = mix(hash);
  }
  return grams;
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const multipliers = Uint32Array.from({ length: hashCount }, (_, i) => mix(2 * i + 1) | 1);
const increments = Uint32Array.from({ length: hashCount }, (_, i) => mix(0x9e3779b9 + i));

function fillSignature(grams: Uint32Array, signature: Uint32Array): void {
  for (let i = 0; i < hashCount; i++) {
    const [a, b] = [multipliers[i]!, increments[i]!];
    let least = 0xffffffff;
    for (let j = 0; j < grams.length; j++) {
      const hash = (Math.imul(grams[j]!, a) + b) >>> 0;
      if (hash < least) least = hash;
    }
    signature[i] = least;
  }
}

function hashBand(signature: Uint32Array, from: number, rows: number): number {
  let hash = from + 1;
  for (let i = from; i < from + rows; i++) hash = mix(hash ^ signature[i]!) + i;
  return hash >>> 0;
}

function toSet(grams: Uint32Array): Uint32Array {
  const sorted = Uint32Array.from(grams).sort();
  let kept = 0;
  for (const gram of sorted) if (kept === 0 || sorted[kept - 1] !== gram) sorted[kept++] = gram;
  return sorted.subarray(0, kept);
}

/** Of two sorted sets. */
export function measureJaccard(a: Uint32Array, b: Uint32Array): number {
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [x, y] = [a[i]!, b[j]!];
    if (x === y) shared++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return shared / (a.length + b.length - shared);
}
