/** @file Rows of before and rows that came -> how their lengths, words and topics differ, each with what chance would give. */
import type { DriftReport } from '../../../shared/drift.ts';
import { textsOf } from '../../data/check/exampleTexts.ts';
import type { Example } from '../../data/example.ts';
import { centerVectors, meanOf, type Vectors } from '../../infer/embed/vectors.ts';
import { permute } from '../../text/seededOrder.ts';
import { chooseClusters } from '../topics/chooseClusters.ts';
import { toTopicText } from '../topics/findTopics.ts';
import { findTypicalWords, listWords } from '../topics/topicWords.ts';
import {
  type Bag,
  chooseSignificant,
  compareBags,
  compareNumbers,
  type PermutationOutcome,
} from './permutationTest.ts';

export interface DriftOptions {
  readonly seed: number;
  /** Most rows of each side that are looked at. */
  readonly sampleRows: number;
  readonly permutations: number;
  /** Texts -> vectors by the base model, for topics. */
  readonly embed?: ((texts: readonly string[]) => Promise<Vectors>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Measured = Pick<DriftReport, 'rows' | 'length' | 'vocabulary' | 'topics'>;

/** Of datasets without drift at most so many are told to have some. */
const level = 0.01;
/** Rarer words tell nothing of a distribution. */
const maxWords = 5000;
const shownWords = 8;
const topicCounts = [2, 3, 4, 5, 6, 8, 10, 12];

/** @throws AbortError when cancelled; what `embed` throws */
export async function measureDrift(
  old: readonly Example[],
  fresh: readonly Example[],
  options: DriftOptions,
): Promise<Measured> {
  const [before, now] = [takeSample(old, options, 1), takeSample(fresh, options, 2)];
  const lengths = [before, now].map(side => side.map(countCharacters));
  const length = compareNumbers(lengths[0]!, lengths[1]!, options);
  const words = countWords(before, now);
  const vocabulary = compareBags(words.before, words.now, words.names.length, options);
  const topics = options.embed === undefined ? null : await compareTopics(before, now, options, options.embed);
  const outcomes = [length, vocabulary, ...(topics === null ? [] : [topics.outcome])];
  const shifted = chooseSignificant(
    outcomes.map(({ pValue }) => pValue),
    level,
  );
  const tell = (outcome: PermutationOutcome) => ({ ...outcome, isShifted: shifted[outcomes.indexOf(outcome)]! });
  const rows = { old: old.length, new: fresh.length, sampledOld: before.length, sampledNew: now.length };
  return {
    rows,
    length: { ...tell(length), oldMedian: median(lengths[0]!), newMedian: median(lengths[1]!) },
    vocabulary: { ...tell(vocabulary), ...findMovedWords(words) },
    topics: topics === null ? null : { ...tell(topics.outcome), list: topics.list },
  };
}

function takeSample(examples: readonly Example[], { sampleRows, seed }: DriftOptions, side: number): Example[] {
  if (examples.length <= sampleRows) return [...examples];
  return Array.from(permute(examples.length, seed, side).subarray(0, sampleRows), row => examples[row]!);
}

function countCharacters(example: Example): number {
  return textsOf(example).reduce((sum, text) => sum + text.length, 0);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface WordCounts {
  readonly names: readonly string[];
  readonly before: readonly Bag[];
  readonly now: readonly Bag[];
}

function countWords(before: readonly Example[], now: readonly Example[]): WordCounts {
  const lists = [before, now].map(side => side.map(example => textsOf(example).flatMap(listWords)));
  const counts = new Map<string, number>();
  for (const word of lists.flat(2)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const names = [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, maxWords)
    .map(([word]) => word);
  const numbers = new Map(names.map((word, i) => [word, i]));
  const toBag = (words: readonly string[]) => Int32Array.from(words.flatMap(word => numbers.get(word) ?? []));
  return { names, before: lists[0]!.map(toBag), now: lists[1]!.map(toBag) };
}

/** The words that most of the difference is of, in at least two rows of their side. */
function findMovedWords({ names, before, now }: WordCounts): { moreOften: string[]; lessOften: string[] } {
  const shares = [before, now].map(bags => {
    const words = new Float64Array(names.length);
    const rows = new Int32Array(names.length);
    let all = 0;
    for (const bag of bags) {
      for (const word of bag) words[word]!++;
      for (const word of new Set(bag)) rows[word]!++;
      all += bag.length;
    }
    return { share: words.map(count => count / Math.max(1, all)), rows };
  });
  const [old, fresh] = [shares[0]!, shares[1]!];
  const pick = (more: typeof old, less: typeof old): string[] =>
    names
      .map((word, i) => ({ word, i, weight: weigh(more.share[i]!, less.share[i]!) }))
      .filter(({ i, weight }) => weight > 0 && more.rows[i]! >= 2)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, shownWords)
      .map(({ word }) => word);
  return { moreOften: pick(fresh, old), lessOften: pick(old, fresh) };
}

/** A word's part of the divergence, where it is the more frequent. */
function weigh(share: number, other: number): number {
  return share <= other ? 0 : share * Math.log2((2 * share) / (share + other));
}

async function compareTopics(
  before: readonly Example[],
  now: readonly Example[],
  { seed, signal, ...options }: DriftOptions,
  embed: NonNullable<DriftOptions['embed']>,
) {
  const texts = [...before, ...now].map(toTopicText);
  const states = await embed(texts);
  const rows = centerVectors(states, meanOf(states));
  const counts = topicCounts.filter(count => count <= Math.sqrt(2 * rows.count));
  // Without knowing which rows are new: else the clusters themselves would tell them apart.
  const { assignment, centers } =
    counts.length === 0
      ? { assignment: new Int32Array(rows.count), centers: { count: 1 } }
      : chooseClusters(rows, counts, seed, () => signal?.throwIfAborted());
  const bags = Array.from(assignment, topic => Int32Array.of(topic));
  const outcome = compareBags(bags.slice(0, before.length), bags.slice(before.length), centers.count, {
    ...options,
    seed,
    signal,
  });
  const words = findTypicalWords(texts, assignment, centers.count);
  const share = (topic: number, from: number, to: number) =>
    assignment.subarray(from, to).reduce((sum, found) => sum + Number(found === topic), 0) / Math.max(1, to - from);
  const list = words.map((typical, topic) => ({
    words: typical,
    oldShare: share(topic, 0, before.length),
    newShare: share(topic, before.length, rows.count),
  }));
  list.sort((a, b) => b.newShare - b.oldShare - (a.newShare - a.oldShare));
  return { outcome, list };
}
