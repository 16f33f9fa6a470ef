/** Names of ships, rooms, pets and places, and questions about them whose answer stands in the text. */
import { a, plural } from './grammar.ts';
import type { Random } from './random.ts';
import { ask, type Turn } from './turn.ts';
import { foods, places } from './words.ts';

/** Ships and rooms have names of the same make as the sample dataset's, but never its own. */
const shipFirst = [
  'Evening',
  'Golden',
  'Happy',
  'Brave',
  'Quiet',
  'White',
  'Summer',
  'Winter',
  'Lucky',
  'Black',
  'Wild',
];
const sampleShipFirst = ['Morning', 'Grey', 'Little', 'North', 'Silver', 'Red', 'Old'];
const shipSecond = [
  'Wave',
  'Gull',
  'Dolphin',
  'Rose',
  'Cloud',
  'Seal',
  'Moon',
  'Apple',
  'Swan',
  'Arrow',
  'Duck',
  'Bear',
];
const sampleShipSecond = ['Star', 'Goose', 'Anchor', 'Wind', 'Fish', 'Crab', 'Lantern'];
const roomFirst = [
  'Clock',
  'Garden',
  'Book',
  'Music',
  'Stone',
  'Glass',
  'Tea',
  'Picture',
  'Star',
  'Coin',
  'Bird',
  'Toy',
];
const sampleRoomFirst = ['Rope', 'Whale', 'Net', 'Map', 'Shell', 'Bell', 'Storm', 'Lamp'];
const petNames = ['Biscuit', 'Button', 'Pepper', 'Cloud', 'Berry', 'Cookie', 'Shadow', 'Ginger'];

/** A ship's name, such as `Quiet Wave`. */
export function shipName(r: Random): string {
  const isSampleFirst = r.chance(0.5);
  const second = isSampleFirst || r.chance(0.3) ? shipSecond : sampleShipSecond;
  return `${r.pick(isSampleFirst ? sampleShipFirst : shipFirst)} ${r.pick(second)}`;
}

/** A room's name, such as `Clock Room`. */
export function roomName(r: Random): string {
  if (r.chance(0.4)) return `${r.pick(sampleRoomFirst)} ${r.pick(['Corner', 'House', 'Cellar'])}`;
  return `${r.pick(roomFirst)} ${r.pick(['Room', 'Hall', 'Corner', 'House'])}`;
}
/** The museum is left to the sample dataset. */
export const otherPlaces = places.filter(place => place.name !== 'museum');

export const spots = [
  'at the front desk',
  'in the front room',
  'on the table',
  'under the bed',
  'in the box',
  'by the door',
  'on the shelf',
  'in the garden',
  'behind the house',
  'near the window',
  'in the boat',
  'on the deck',
  'beside the stairs',
  'in the hall',
];

export function named(r: Random): Turn {
  const animal = r.pick(['dog', 'cat', 'horse', 'goat', 'parrot', 'rabbit']);
  const pet = r.pick(petNames);
  const place = r.pick(otherPlaces).name;
  const house = `${r.pick(['Golden', 'Red', 'Old', 'Quiet', 'Warm', 'Round'])} ${r.pick(['Cup', 'Kettle', 'Plate', 'Table'])}`;
  const spoon = `${r.pick(['Golden', 'Silver', 'Big', 'Little'])} Spoon`;
  const island = `${r.pick(['Seal', 'Bear', 'Rose', 'Gull', 'Stone'])} ${r.pick(['Bay', 'Hill', 'River'])}`;
  const other = `${r.pick(['Seal', 'Bear', 'Rose', 'Goat'])} Island`;
  const eating = r.pick([house, spoon]);
  const far = r.pick([island, other]);
  return r.pick([
    () =>
      ask(
        r,
        [
          `The ${animal} of the ${place} is called ${pet}. What is the name of the ${animal}?`,
          `I have ${a(animal)} and its name is ${pet}. How is my ${animal} called?`,
          `${pet} is ${a(animal)}. What is the name of the ${animal}?`,
        ],
        `The ${animal} is called ${pet}.`,
      ),
    () => {
      const food = plural(r.pick(foods).name);
      return ask(
        r,
        [
          `${pet} the ${animal} likes ${food}. What does ${pet} like?`,
          `My ${animal} ${pet} eats ${food}. What does ${pet} like to eat?`,
        ],
        `${pet} likes ${food}.`,
      );
    },
    () => {
      const spot = r.pick(spots);
      return ask(r, [`${pet} the ${animal} sleeps ${spot}. Where does ${pet} sleep?`], `${pet} sleeps ${spot}.`);
    },
    () =>
      ask(
        r,
        [
          `The inn is called the ${eating}. What is the name of the inn?`,
          `We ate in the inn ${eating}. How is the inn called?`,
        ],
        `The inn is called the ${eating}.`,
      ),
    () =>
      ask(
        r,
        [
          `The bus goes to ${far}. Where does the bus go?`,
          `A ferry brings people to ${far}. Where will the ferry take me?`,
          `We made a trip to ${far} by bus and ferry. Where did the trip go?`,
        ],
        `It goes to ${far}.`,
      ),
  ])();
}
