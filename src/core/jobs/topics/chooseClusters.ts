/**
 * @file Vectors -> as many clusters as they have, by the mean silhouette (Rousseeuw 1987): how much nearer a vector is to its
 * own cluster than to the next one. Of the numbers tried the one with the highest mean is taken.
 */
import { dot, rowOf, type Vectors } from '../../infer/embed/vectors.ts';
import { type Clusters, clusterVectors } from './kMeans.ts';

export interface ChosenClusters extends Clusters {
  /** Of every number that was tried, in order. */
  readonly silhouettes: readonly { readonly topics: number; readonly value: number }[];
}

/** Vectors that are compared with each other: more say nothing new, and cost their square. */
const comparedVectors = 1000;

/** @param counts the numbers to try, each at least 2 and at most as many as there are vectors; `check` may throw between two */
export function chooseClusters(
  vectors: Vectors,
  counts: readonly number[],
  seed: number,
  check: () => void = () => undefined,
): ChosenClusters {
  const compared = spreadRows(vectors.count, comparedVectors);
  const cosines = compareAll(vectors, compared);
  const silhouettes: { topics: number; value: number }[] = [];
  let best: { clusters: Clusters; value: number } | undefined;
  for (const count of counts) {
    check();
    const clusters = clusterVectors(vectors, count, seed);
    const value = measureSilhouette(cosines, compared, clusters);
    silhouettes.push({ topics: count, value });
    if (best === undefined || value > best.value) best = { clusters, value };
  }
  return { ...best!.clusters, silhouettes };
}

/** Row numbers at even distances. */
function spreadRows(count: number, limit: number): Int32Array {
  const taken = Math.min(count, limit);
  return Int32Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

function compareAll(vectors: Vectors, rows: Int32Array): Float32Array {
  const cosines = new Float32Array(rows.length * rows.length);
  for (let i = 0; i < rows.length; i++) {
    const vector = rowOf(vectors, rows[i]!);
    for (let j = 0; j <= i; j++) {
      const cosine = dot(vector, rowOf(vectors, rows[j]!));
      cosines[i * rows.length + j] = cosine;
      cosines[j * rows.length + i] = cosine;
    }
  }
  return cosines;
}

/** A vector alone in its cluster counts as 0. */
function measureSilhouette(cosines: Float32Array, rows: Int32Array, { assignment, centers }: Clusters): number {
  const clusters = Int32Array.from(rows, row => assignment[row]!);
  const sizes = new Int32Array(centers.count);
  for (const cluster of clusters) sizes[cluster]!++;
  const sums = new Float64Array(centers.count);
  let total = 0;
  for (let i = 0; i < rows.length; i++) {
    const own = clusters[i]!;
    if (sizes[own]! < 2) continue;
    sums.fill(0);
    for (let j = 0; j < rows.length; j++) if (j !== i) sums[clusters[j]!]! += 1 - cosines[i * rows.length + j]!;
    const inside = sums[own]! / (sizes[own]! - 1);
    let outside = Infinity;
    for (let cluster = 0; cluster < sums.length; cluster++) {
      if (cluster !== own && sizes[cluster]! > 0) outside = Math.min(outside, sums[cluster]! / sizes[cluster]!);
    }
    const larger = Math.max(inside, outside);
    if (Number.isFinite(outside) && larger > 0) total += (outside - inside) / larger;
  }
  return total / Math.max(1, rows.length);
}
