/** One question and its answer, and what makes one. */
import type { Random } from './random.ts';

export interface Turn {
  readonly question: string;
  readonly answer: string;
}

export type Topic = (random: Random) => Turn;

/** A turn whose question is one of several ways to ask the same. */
export function ask(random: Random, questions: readonly string[], answer: string): Turn {
  return { question: random.pick(questions), answer };
}
