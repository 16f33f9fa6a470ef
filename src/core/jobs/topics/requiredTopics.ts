/**
 * @file Topics that a dataset ought to have -> whether it has them: rows that hold their words, and rows that are about them in
 * other words. How near such a row must be is taken from the dataset itself, from its own words and the rows that hold them.
 */
import type { TopicReport } from '../../../shared/datasetTopics.ts';
import { dot, rowOf, type Vectors } from '../../infer/embed/vectors.ts';
import { listWords } from './topicWords.ts';

export type RequiredTopic = TopicReport['required'][number];

/** Rows with its words without which a topic is not there. */
const fewestRows = 3;

/** What is embedded for a word: it stands behind a beginning, since a text's first token says nothing. */
export function describeWord(word: string): string {
  return `This is about ${word}`;
}

/** Whether a text holds every word of a name, in another form too: `diagnosis` is found in "diagnosed". */
export function makeMatcher(name: string): (text: string) => boolean {
  const stems = listWords(name).map(toStem);
  return text => {
    const words = listWords(text);
    return stems.length > 0 && stems.every(stem => words.some(word => word.startsWith(stem)));
  };
}

/** A long word without its ending, a shorter one without the plural's. */
function toStem(word: string): string {
  if (word.length >= 7) return word.slice(0, Math.max(5, word.length - 3));
  return word.length >= 4 ? word.replace(/s$/, '') : word;
}

export interface TopicVectors {
  /** Of the sampled rows. */
  readonly rows: Vectors;
  readonly assignment: ArrayLike<number>;
  /** Of the topics that were found. */
  readonly centers: Vectors;
  /** Words that are typical of some topic, each with its vector and which sampled rows hold it. */
  readonly known: { readonly vectors: Vectors; readonly isMentioned: Mentioned };
  /** Of each required topic, likewise. */
  readonly required: { readonly vectors: Vectors; readonly isMentioned: Mentioned };
}

/** By word or topic, then by row. */
type Mentioned = readonly (readonly boolean[])[];

export interface RequiredCounts {
  readonly names: readonly string[];
  /** Rows of the whole dataset with the words of each. */
  readonly mentions: readonly number[];
  readonly allRows: number;
  /** Share of the rows below which a topic is thin. */
  readonly thinShare: number;
}

export function judgeRequired(vectors: TopicVectors, counts: RequiredCounts): RequiredTopic[] {
  const { rows, required } = vectors;
  const least = findNearness(rows, vectors.known);
  return counts.names.map((name, index) => {
    const vector = rowOf(required.vectors, index);
    const isMentioned = required.isMentioned[index]!;
    let nearRows = 0;
    for (let row = 0; row < rows.count; row++) {
      if (!isMentioned[row] && dot(vector, rowOf(rows, row)) >= least) nearRows++;
    }
    const mentions = counts.mentions[index]!;
    const about = mentions + (nearRows * counts.allRows) / Math.max(1, rows.count);
    const isThin = about < counts.thinShare * counts.allRows;
    // A few rows that are near without any that says so are chance.
    const state = !isThin ? 'covered' : mentions < fewestRows ? 'missing' : 'thin';
    return { name, state, mentions, nearRows, nearestTopic: findNearestTopic(vectors, vector, isMentioned) };
  });
}

/** Where rows are about a word, so many of them hold it. */
const holdingShare = 1 / 3;
const windows = 200;
const fewestPairs = 20;

/**
 * How near a row must be to a word to be about it: going down from the nearest pairs of a word and a row, the last cosine at
 * which still that share of the rows hold the word; infinite where the vectors do not tell.
 */
function findNearness(rows: Vectors, { vectors, isMentioned }: TopicVectors['known']): number {
  const pairs: { cosine: number; holds: boolean }[] = [];
  for (const [word, holds] of isMentioned.entries()) {
    for (let row = 0; row < rows.count; row++) {
      pairs.push({ cosine: dot(rowOf(vectors, word), rowOf(rows, row)), holds: holds[row]! });
    }
  }
  pairs.sort((a, b) => b.cosine - a.cosine);
  const size = Math.max(fewestPairs, Math.floor(pairs.length / windows));
  let least = Infinity;
  for (let from = 0; from < pairs.length; from += size) {
    const window = pairs.slice(from, from + size);
    if (window.filter(({ holds }) => holds).length < holdingShare * window.length) break;
    least = window.at(-1)!.cosine;
  }
  return least;
}

/** The one with most of the rows that hold its words; without any the one whose centre is nearest. */
function findNearestTopic(
  { assignment, centers }: TopicVectors,
  vector: Float32Array,
  isMentioned: readonly boolean[],
): number | null {
  const scores = Array.from({ length: centers.count }, (_, topic) => dot(vector, rowOf(centers, topic)));
  for (const [row, holds] of isMentioned.entries()) if (holds) scores[assignment[row]!]! += 2;
  return scores.length === 0 ? null : scores.indexOf(Math.max(...scores));
}
