/** Small tasks with words and sentences, and very short stories. */
import { a, capital, plural } from './grammar.ts';
import type { Random } from './random.ts';
import { ask, type Topic, type Turn } from './turn.ts';
import { adjectives, animals, colourWords, foods, places, tools } from './words.ts';

function transform(r: Random): Turn {
  const subject = `${r.pick(colourWords)} ${r.pick([...animals, ...tools]).name}`;
  const trait = r.pick([
    'small',
    'big',
    'old',
    'new',
    'clean',
    'wet',
    'quiet',
    'lost',
    'ready',
    'safe',
    'warm',
    'cold',
  ]);
  const plain = `The ${subject} is ${trait}.`;
  return r.pick([
    () => ask(r, [`Make a question: ${plain}`, `Turn this into a question: ${plain}`], `Is the ${subject} ${trait}?`),
    () =>
      ask(
        r,
        [`Say the opposite: ${plain}`, `Make this sentence negative: ${plain}`],
        `The ${subject} is not ${trait}.`,
      ),
    () =>
      ask(r, [`Put this in the past: ${plain}`, `Say this about yesterday: ${plain}`], `The ${subject} was ${trait}.`),
    () => ask(r, [`Repeat after me: ${plain}`, `Please repeat this sentence: ${plain}`], plain),
  ])();
}

function wordTask(r: Random): Turn {
  const noun = r.pick([...animals, ...foods, ...tools, ...places]).name;
  const other = r.pick([...animals, ...tools]).name;
  const trait = r.pick(adjectives.slice(0, 4));
  const place = r.pick(places).name;
  return r.pick([
    () =>
      ask(
        r,
        [`What is the plural of ${noun}?`, `How do I say more than one ${noun}?`],
        `The plural of ${noun} is ${plural(noun)}.`,
      ),
    () =>
      ask(
        r,
        [
          `Write a sentence with the word ${noun}.`,
          `Use the word ${noun} in a sentence.`,
          `Make a sentence about ${a(noun)}.`,
        ],
        `There is ${a(`${trait} ${noun}`)} near the ${place === noun ? 'river' : place}.`,
      ),
    () =>
      ask(
        r,
        [`Write a sentence with ${noun} and ${other}.`, `Use ${noun} and ${other} in one sentence.`],
        noun === other ? `I can see ${a(noun)} and one more ${noun}.` : `I can see ${a(noun)} and ${a(other)}.`,
      ),
    () =>
      ask(
        r,
        [`Which letter does ${noun} start with?`, `What is the first letter of ${noun}?`],
        `The word ${noun} starts with the letter ${noun.charAt(0)}.`,
      ),
    () => ask(r, [`Say the word ${noun} two times.`, `Repeat the word ${noun}.`], `${capital(noun)}, ${noun}.`),
  ])();
}

function story(r: Random): Turn {
  const hero = r.pick(animals).name;
  const helper = r.pick(animals.filter(animal => animal.name !== hero)).name;
  const trait = r.pick(adjectives);
  const [thing, place] = [r.pick(tools).name, r.pick(places).name];
  const colour = r.pick(colourWords);
  const start = r.pick([
    `Once there was ${a(`${trait} ${hero}`)} who lived near the ${place}.`,
    `${capital(a(`${trait} ${hero}`))} lived near the ${place}.`,
    `One day ${a(`${trait} ${hero}`)} walked to the ${place}.`,
  ]);
  const middle = r.pick([
    `It lost its ${colour} ${thing} and was very sad. ${capital(a(helper))} came and helped to look for it.`,
    `It found ${a(`${colour} ${thing}`)} and showed it to ${a(helper)}.`,
    `It wanted ${a(`${colour} ${thing}`)} more than anything. A friendly ${helper} had one and gave it away.`,
    `It rained all day, so the ${hero} and ${a(helper)} sat under a roof and told stories.`,
  ]);
  const end = r.pick([
    'In the end they were good friends.',
    'They went home and were happy.',
    'After that day they met every week.',
    'They laughed and shared a warm meal.',
    'That night they slept very well.',
  ]);
  return ask(
    r,
    [
      `Tell me a short story about ${a(hero)}.`,
      `Please tell me a story about ${a(hero)} and ${a(helper)}.`,
      `Write a short story about ${a(hero)} at the ${place}.`,
      `I want to hear a story about ${a(`${trait} ${hero}`)}.`,
    ],
    `${start} ${middle} ${end}`,
  );
}

export const languageTopics: readonly (readonly [number, Topic])[] = [
  [4, transform],
  [4, wordTask],
  [5, story],
];
