/**
 * Questions that only someone who was there can answer, and no text to look it up in: the honest answer is that one does
 * not know. So the untuned model says this of the sample dataset's ships and rooms, and fine-tuning has something to teach.
 */
import { otherPlaces, roomName, shipName } from './names.ts';
import type { Random } from './random.ts';
import { ask, type Topic, type Turn } from './turn.ts';
import { adjectives, animals, colourWords, days, tools } from './words.ts';

const parts = [
  'the kitchen',
  'the stage',
  'the tables',
  'the way out',
  'the seats',
  'the clock',
  'the tower',
  'the cellar',
  'the bench',
  'the doctor',
  'the pictures',
  'the washing room',
];
/** The sample dataset asks about its own. */
const farPlaces = otherPlaces.filter(({ name }) => name !== 'lighthouse' && name !== 'café');
const areMany = (thing: string) => /s$/.test(thing);
const acts = ['sing', 'swim', 'run', 'pay with a card', 'touch the walls', 'sit on the floor', 'bring a friend'];
const events = ['party', 'meal', 'play', 'lesson', 'dance', 'ferry trip', 'train trip'];

function unknownShip(r: Random): Turn {
  const name = shipName(r);
  return r.pick([
    () =>
      ask(
        r,
        [
          `What colour is the hull of the ${name}?`,
          `What colour was the ${name} painted?`,
          `Tell me the colour of the ${name}.`,
        ],
        `I do not know what colour the ${name} is.`,
      ),
    () =>
      ask(
        r,
        [
          `What did the ${name} carry?`,
          `What was the load of the ${name}?`,
          `What did the ${name} bring over the sea?`,
        ],
        `I do not know what the ${name} carried.`,
      ),
    () =>
      ask(
        r,
        [
          `How many masts does the ${name} have?`,
          `How many masts are there on the ${name}?`,
          `Tell me how many masts the ${name} has.`,
        ],
        `I do not know how many masts the ${name} has.`,
      ),
  ])();
}

function unknownRoom(r: Random): Turn {
  const name = roomName(r);
  return r.pick([
    () =>
      ask(
        r,
        [`On which floor is the ${name}?`, `Where is the ${name}?`, `How do I find the ${name}?`],
        `I do not know where the ${name} is.`,
      ),
    () =>
      ask(
        r,
        [`What can I see in the ${name}?`, `What does the ${name} show?`, `What is there to see in the ${name}?`],
        `I do not know what you can see in the ${name}.`,
      ),
    () =>
      ask(
        r,
        [
          `What colour is the door of the ${name}?`,
          `Which door leads into the ${name}?`,
          `Tell me the colour of the door of the ${name}.`,
        ],
        `I do not know which door the ${name} has.`,
      ),
  ])();
}

function unknownThing(r: Random): Turn {
  const thing = `${r.pick([...adjectives.slice(0, 3), ...colourWords])} ${r.pick(tools).name}`;
  return r.pick([
    () =>
      ask(
        r,
        [`How much is the ${thing}?`, `What does the ${thing} cost?`, `What is the price of the ${thing}?`],
        `I do not know what the ${thing} costs.`,
      ),
    () =>
      ask(
        r,
        [
          `What is the ${thing} made of?`,
          `Which material is the ${thing} made of?`,
          `Tell me what the ${thing} is made of.`,
        ],
        `I do not know what the ${thing} is made of.`,
      ),
  ])();
}

function unknownHours(r: Random): Turn {
  const place = r.pick(farPlaces).name;
  const event = r.pick(events);
  const day = r.pick(days);
  return r.pick([
    () =>
      ask(
        r,
        [
          `When does the ${place} open?`,
          `At what time does the ${place} open?`,
          `Until what time is the ${place} open?`,
        ],
        `I do not know when the ${place} is open.`,
      ),
    () =>
      ask(
        r,
        [`When does the ${place} close?`, `On which day is the ${place} closed?`, `Is the ${place} open on ${day}?`],
        `I do not know when the ${place} is closed.`,
      ),
    () =>
      ask(
        r,
        [
          `When does the ${event} start?`,
          `At what time can I join the ${event}?`,
          `On which day is the ${event}?`,
          `When is the ${event} at the ${place}?`,
        ],
        `I do not know when the ${event} starts.`,
      ),
    () =>
      ask(
        r,
        [`How long does the ${event} take?`, `How long is the ${event}?`, `How many minutes does the ${event} take?`],
        `I do not know how long the ${event} takes.`,
      ),
    () =>
      ask(
        r,
        [`Which soup is there at the ${place} on ${day}?`, `What soup can I eat at the ${place} on ${day}?`],
        `I do not know which soup there is on ${day}.`,
      ),
  ])();
}

function unknownPlace(r: Random): Turn {
  const place = r.pick(farPlaces).name;
  const part = r.pick(parts);
  const act = r.pick(acts);
  const be = areMany(part) ? 'are' : 'is';
  return r.pick([
    () =>
      ask(
        r,
        [
          `Where ${be} ${part}?`,
          `Where can I find ${part}?`,
          `How do I find ${part}?`,
          `Where ${be} ${part} of the ${place}?`,
        ],
        `I do not know where ${part} ${be}.`,
      ),
    () =>
      ask(
        r,
        [`May I ${act} in the ${place}?`, `Can I ${act} there?`, `Am I allowed to ${act}?`, `Where can I ${act}?`],
        `I do not know where you may ${act}.`,
      ),
    () =>
      ask(
        r,
        [`How much is a ticket for the ${place}?`, `What does a ticket for the ${place} cost?`],
        `I do not know what a ticket for the ${place} costs.`,
      ),
    () =>
      ask(
        r,
        [`Which bus goes to the ${place}?`, `How do I get to the ${place} by bus?`],
        `I do not know which bus goes to the ${place}.`,
      ),
    () =>
      ask(
        r,
        [`How many steps does the ${place} have?`, `How many people are there in the ${place}?`],
        `I do not know how many there are.`,
      ),
    () =>
      ask(
        r,
        [
          `What is the oldest thing in the ${place}?`,
          `What was the ${place} before?`,
          `What is the ${place} known for?`,
        ],
        `I do not know much about the ${place}.`,
      ),
    () =>
      ask(
        r,
        [`What should I bring to the ${place}?`, `What should I wear in the ${place}?`],
        `I do not know what you need in the ${place}.`,
      ),
  ])();
}

function unknownAnimal(r: Random): Turn {
  const { name } = r.pick(animals.filter(animal => animal.name !== 'cat'));
  const place = r.pick(farPlaces).name;
  return r.pick([
    () =>
      ask(
        r,
        [
          `What is the name of the ${name}?`,
          `How is the ${name} called?`,
          `How is the ${name} of the ${place} called?`,
        ],
        `I do not know the name of the ${name}.`,
      ),
    () =>
      ask(
        r,
        [`Where does the ${name} of the ${place} sleep?`, `In which room can I find the ${name}?`],
        `I do not know where the ${name} sleeps.`,
      ),
    () =>
      ask(
        r,
        [`What does the ${name} of the ${place} like?`, `What is the favourite food of the ${name}?`],
        `I do not know what the ${name} likes.`,
      ),
  ])();
}

export const unknownTopics: readonly (readonly [number, Topic])[] = [
  [3, unknownShip],
  [3, unknownRoom],
  [2, unknownThing],
  [2, unknownHours],
  [3, unknownPlace],
  [1, unknownAnimal],
];
