/**
 * The text the tiny chat model is trained on: short, well-formed English conversations, written by a seeded grammar.
 * Everyday facts repeat in many forms; statements with questions about them, stories and word tasks are endless.
 */
import type { Message } from '../core/data/example.ts';
import { countingTopics } from './tinyCorpus/counting.ts';
import { factTopics } from './tinyCorpus/facts.ts';
import { languageTopics } from './tinyCorpus/language.ts';
import { Random } from './tinyCorpus/random.ts';
import { readingTopics } from './tinyCorpus/reading.ts';
import { talkTopics } from './tinyCorpus/talk.ts';
import type { Topic, Turn } from './tinyCorpus/turn.ts';
import { unknownTopics } from './tinyCorpus/unknown.ts';

export interface CorpusRow {
  readonly messages: readonly Message[];
}

/** What share of the questions each kind gets. */
const kinds: readonly (readonly [number, readonly (readonly [number, Topic])[]])[] = [
  [38, factTopics],
  [10, countingTopics],
  [24, readingTopics],
  [12, languageTopics],
  [8, talkTopics],
  [12, unknownTopics],
];

const systems = [
  'You are a helpful assistant.',
  'You are a friendly assistant. Answer in short sentences.',
  'Answer the question.',
  'You are a kind helper who gives short answers.',
];

/** `rows` different conversations; the same seed gives the same rows, and fewer rows are a prefix of more. */
export function generateTinyCorpus(seed: number, rows: number): CorpusRow[] {
  const random = new Random(seed);
  const seen = new Set<string>();
  const corpus: CorpusRow[] = [];
  while (corpus.length < rows) {
    const messages = makeConversation(random);
    const key = JSON.stringify(messages);
    if (seen.has(key)) continue;
    seen.add(key);
    corpus.push({ messages });
  }
  return corpus;
}

function makeConversation(random: Random): Message[] {
  const turns = Array.from(
    {
      length: random.weighted([
        [6, 1],
        [3, 2],
        [1, 3],
      ] as const),
    },
    () => makeTurn(random),
  );
  const system: Message[] = random.chance(0.15) ? [{ role: 'system', content: random.pick(systems) }] : [];
  return [
    ...system,
    ...turns.flatMap(({ question, answer }): Message[] => [
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ]),
  ];
}

function makeTurn(random: Random): Turn {
  return random.weighted(random.weighted(kinds))(random);
}
