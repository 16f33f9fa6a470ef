/**
 * @file Answered questions -> the few that stand for all of them best: greedy facility location (each example adds as much
 * as possible to how well every candidate is covered by the example most like it). Representative first, then diverse;
 * fewer examples are the beginning of more.
 */
import { tokenF1 } from '../../shared/tokenF1.ts';
import { permute } from '../text/seededOrder.ts';
import { type AnsweredQuestion, isSingleTurn, lastQuestion } from './answeredQuestion.ts';

/** Similarity is computed between all pairs, so that a large dataset is sampled first. */
const maxCandidates = 120;
const samplePurpose = 12;

/** At most `count` of the questions, a pure function of them and the seed. Long ones are left out: examples cost context. */
export function chooseExamples(pool: readonly AnsweredQuestion[], count: number, seed: number): AnsweredQuestion[] {
  const candidates = sampleCandidates(pool, seed);
  const similarity = candidates.map(a => candidates.map(b => measureSimilarity(a, b)));
  const covered = new Float64Array(candidates.length);
  const chosen: number[] = [];
  while (chosen.length < Math.min(count, candidates.length)) {
    const next = findBest(similarity, covered, chosen);
    chosen.push(next);
    for (const [i, value] of similarity[next]!.entries()) covered[i] = Math.max(covered[i]!, value);
  }
  return chosen.map(index => candidates[index]!);
}

function sampleCandidates(pool: readonly AnsweredQuestion[], seed: number): AnsweredQuestion[] {
  const usable = pool.filter(question => isSingleTurn(question) && question.reference.trim() !== '');
  const lengths = usable.map(countCharacters).sort((a, b) => a - b);
  const limit = lengths[Math.floor(0.75 * (lengths.length - 1))] ?? 0;
  const short = usable.filter(question => countCharacters(question) <= limit);
  const order = permute(short.length, seed, samplePurpose).subarray(0, maxCandidates);
  return Array.from(order.sort(), index => short[index]!);
}

const countCharacters = (question: AnsweredQuestion): number =>
  lastQuestion(question).length + question.reference.length;

function measureSimilarity(a: AnsweredQuestion, b: AnsweredQuestion): number {
  return (tokenF1(lastQuestion(a), lastQuestion(b)) + tokenF1(a.reference, b.reference)) / 2;
}

function findBest(
  similarity: readonly (readonly number[])[],
  covered: Float64Array,
  chosen: readonly number[],
): number {
  let best = -1;
  let bestGain = -1;
  for (const [candidate, row] of similarity.entries()) {
    if (chosen.includes(candidate)) continue;
    const gain = row.reduce((sum, value, i) => sum + Math.max(0, value - covered[i]!), 0);
    if (gain > bestGain) [best, bestGain] = [candidate, gain];
  }
  return best;
}
