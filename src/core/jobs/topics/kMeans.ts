/**
 * @file Vectors of length 1 -> groups of those that point the same way: k-means by cosine (Dhillon and Modha 2001), begun as
 * k-means++ does (Arthur and Vassilvitskii 2007), the best of several starts. A pure function of the vectors and the seed.
 */
import { dot, rowOf, scaleToLength1, type Vectors } from '../../infer/embed/vectors.ts';
import { createGenerator } from '../../text/seededOrder.ts';

export interface Clusters {
  /** Of each vector. */
  readonly assignment: Int32Array;
  /** [clusters, size], of length 1 */
  readonly centers: Vectors;
  /** The sum of 1 - cosine of each vector with its centre. */
  readonly spread: number;
}

const starts = 4;
const maxRounds = 60;

/** @param count at most as many as there are vectors */
export function clusterVectors(vectors: Vectors, count: number, seed: number): Clusters {
  let best: Clusters | undefined;
  for (let start = 0; start < starts; start++) {
    const found = clusterOnce(vectors, count, createGenerator([seed, count, start]));
    if (best === undefined || found.spread < best.spread) best = found;
  }
  return best!;
}

function clusterOnce(vectors: Vectors, count: number, next: () => number): Clusters {
  const centers = chooseStart(vectors, count, next);
  const assignment = new Int32Array(vectors.count).fill(-1);
  let spread = 0;
  for (let round = 0; round < maxRounds; round++) {
    const assigned = assign(vectors, centers, assignment);
    spread = assigned.spread;
    if (!assigned.hasChanged) break;
    moveCenters(vectors, centers, assignment, assigned.cosines);
  }
  return { assignment, centers, spread };
}

/** Each further centre is a vector, the likelier the farther it is from those that are chosen. */
function chooseStart(vectors: Vectors, count: number, next: () => number): Vectors {
  const { size } = vectors;
  const values = new Float32Array(count * size);
  const distances = new Float64Array(vectors.count).fill(1);
  for (let center = 0; center < count; center++) {
    const total = distances.reduce((sum, distance) => sum + distance, 0);
    let left = (next() / 0x1_0000_0000) * total;
    let chosen = 0;
    for (let row = 0; row < vectors.count; row++) {
      if (distances[row]! <= 0) continue;
      chosen = row;
      left -= distances[row]!;
      if (left < 0) break;
    }
    const vector = rowOf(vectors, chosen);
    values.set(vector, center * size);
    for (let row = 0; row < vectors.count; row++) {
      const distance = Math.max(0, 1 - dot(rowOf(vectors, row), vector));
      distances[row] = row === chosen ? 0 : center === 0 ? distance : Math.min(distances[row]!, distance);
    }
  }
  return { count, size, values };
}

function assign(
  vectors: Vectors,
  centers: Vectors,
  assignment: Int32Array,
): { hasChanged: boolean; spread: number; cosines: Float64Array } {
  let hasChanged = false;
  let spread = 0;
  const cosines = new Float64Array(vectors.count);
  for (let row = 0; row < vectors.count; row++) {
    const vector = rowOf(vectors, row);
    let best = 0;
    let highest = -Infinity;
    for (let center = 0; center < centers.count; center++) {
      const cosine = dot(vector, rowOf(centers, center));
      if (cosine <= highest) continue;
      highest = cosine;
      best = center;
    }
    hasChanged ||= assignment[row] !== best;
    assignment[row] = best;
    cosines[row] = highest;
    spread += 1 - highest;
  }
  return { hasChanged, spread, cosines };
}

/** A centre that nothing is near to moves to the vector that is farthest from its own. */
function moveCenters(vectors: Vectors, centers: Vectors, assignment: Int32Array, cosines: Float64Array): void {
  const sizes = new Int32Array(centers.count);
  centers.values.fill(0);
  for (let row = 0; row < vectors.count; row++) {
    const vector = rowOf(vectors, row);
    const center = rowOf(centers, assignment[row]!);
    sizes[assignment[row]!]!++;
    for (let i = 0; i < center.length; i++) center[i]! += vector[i]!;
  }
  for (let index = 0; index < centers.count; index++) {
    const center = rowOf(centers, index);
    if (sizes[index] === 0) {
      const farthest = cosines.reduce((worst, cosine, row) => (cosine < cosines[worst]! ? row : worst), 0);
      center.set(rowOf(vectors, farthest));
      cosines[farthest] = Infinity;
    }
    scaleToLength1(center);
  }
}
