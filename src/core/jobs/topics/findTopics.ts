/**
 * @file Rows of a dataset -> what it is about: embeddings of a sample by the base model, clustered; for each topic its typical
 * words, its size and its most central rows; and which of the topics that were asked for are thin or missing.
 */
import type { TopicReport } from '../../../shared/datasetTopics.ts';
import { answerOf, questionOf } from '../../data/check/exampleTexts.ts';
import type { Example } from '../../data/example.ts';
import { centerVectors, dot, meanOf, rowOf, type Vectors } from '../../infer/embed/vectors.ts';
import { createGenerator } from '../../text/seededOrder.ts';
import { chooseClusters } from './chooseClusters.ts';
import { clusterVectors } from './kMeans.ts';
import { describeWord, judgeRequired, makeMatcher } from './requiredTopics.ts';
import { findTypicalWords } from './topicWords.ts';

export interface TopicSample {
  readonly examples: readonly Example[];
  /** Rows of the whole dataset. */
  readonly allRows: number;
  /** Rows of the whole dataset with the words of each required topic. */
  readonly mentions: readonly number[];
}

export interface TopicOptions {
  readonly required: readonly string[];
  /** How many topics; absent: as many as the rows have. */
  readonly topics?: number | undefined;
  readonly seed: number;
  /** Texts -> vectors, by the model. */
  readonly embed: (texts: readonly string[]) => Promise<Vectors>;
  readonly signal?: AbortSignal | undefined;
}

const mostTopics = 24;
const shownRows = 3;
const shownCharacters = 160;

/** Keeps a fair sample of rows that come one by one, and counts what required topics are mentioned in (Vitter 1985, algorithm R). */
export class TopicSampler {
  private readonly kept: { readonly example: Example; readonly place: number }[] = [];
  private readonly next: () => number;
  private readonly matchers: readonly ((text: string) => boolean)[];
  private readonly mentions: number[];
  private readonly limit: number;
  private rows = 0;

  constructor(limit: number, required: readonly string[], seed: number) {
    this.limit = limit;
    this.next = createGenerator([seed, 7]);
    this.matchers = required.map(makeMatcher);
    this.mentions = required.map(() => 0);
  }

  add(example: Example): void {
    const place = this.rows++;
    if (this.matchers.length > 0) {
      const text = toTopicText(example);
      for (const [index, matches] of this.matchers.entries()) this.mentions[index]! += Number(matches(text));
    }
    if (this.kept.length < this.limit) this.kept.push({ example, place });
    else {
      const at = Math.floor((this.next() / 0x1_0000_0000) * this.rows);
      if (at < this.limit) this.kept[at] = { example, place };
    }
  }

  /** In the order of the dataset. */
  finish(): TopicSample {
    this.kept.sort((a, b) => a.place - b.place);
    return { examples: this.kept.map(({ example }) => example), allRows: this.rows, mentions: this.mentions };
  }
}

/** @throws AbortError when cancelled; what `embed` throws */
export async function findTopics(
  { examples, allRows, mentions }: TopicSample,
  { required, topics, seed, embed, signal }: TopicOptions,
): Promise<Omit<TopicReport, 'model'>> {
  const texts = examples.map(toTopicText);
  const states = await embed(texts);
  const rows = centerVectors(states, meanOf(states));
  const check = () => signal?.throwIfAborted();
  const counts = listCounts(rows.count, topics);
  const chosen =
    counts.length > 0
      ? chooseClusters(rows, counts, seed, check)
      : { ...clusterVectors(rows, Math.min(1, rows.count), seed), silhouettes: [] };
  const { assignment, centers, silhouettes } = chosen;
  const words = findTypicalWords(texts, assignment, centers.count);
  const thinShare = 1 / (4 * Math.max(1, centers.count));
  const judged = required.length === 0 ? [] : await judge();
  const described = words.map((typical, topic) => describe(topic, typical));
  const order = described.map((_, topic) => topic).sort((a, b) => described[b]!.rows - described[a]!.rows);
  return {
    rows: allRows,
    sampledRows: examples.length,
    topics: order.map(topic => described[topic]!),
    silhouettes: [...silhouettes],
    required: judged.map(one => ({
      ...one,
      nearestTopic: one.nearestTopic === null ? null : order.indexOf(one.nearestTopic),
    })),
  };

  /** Words are beside each other what rows are beside rows: each kind has a mean of its own. */
  async function judge(): Promise<TopicReport['required']> {
    const known = [...new Set(words.flat())];
    const raw = await embed([...known, ...required].map(describeWord));
    const all = centerVectors(raw, meanOf(raw));
    const take = (names: readonly string[], from: number) => ({
      vectors: { ...all, count: names.length, values: all.values.subarray(from * all.size) },
      isMentioned: names.map(name => texts.map(makeMatcher(name))),
    });
    return judgeRequired(
      { rows, assignment, centers, known: take(known, 0), required: take(required, known.length) },
      { names: required, mentions, allRows, thinShare },
    );
  }

  function describe(topic: number, typical: string[]): TopicReport['topics'][number] {
    const own = examples.flatMap((_, row) => (assignment[row] === topic ? [row] : []));
    const nearness = (row: number) => dot(rowOf(rows, row), rowOf(centers, topic));
    const central = own.sort((a, b) => nearness(b) - nearness(a)).slice(0, shownRows);
    const share = own.length / Math.max(1, examples.length);
    return {
      words: typical,
      rows: own.length,
      share,
      isThin: centers.count > 1 && share < thinShare,
      examples: central.map(row => ({ ...examples[row]!.origin, text: shorten(texts[row]!) })),
    };
  }
}

/** What says what a row is about: the question, then the answer. */
export function toTopicText(example: Example): string {
  return [questionOf(example), answerOf(example)].filter(text => text !== '').join('\n');
}

/** Numbers of topics to try: each at first, then in growing steps; no more than rows allow to be told apart. */
function listCounts(rows: number, wanted: number | undefined): number[] {
  if (wanted !== undefined) return wanted >= 2 && wanted <= rows ? [wanted] : [];
  const most = Math.min(mostTopics, Math.floor(Math.sqrt(2 * rows)));
  const counts: number[] = [];
  for (let count = 2; count <= most; count += count < 12 ? 1 : 2) counts.push(count);
  return counts;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters)}…`;
}
