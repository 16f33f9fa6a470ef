/** A statement and a question about it: the answer stands in the text, so these rows teach looking back, not facts. */
import { a, capital, countOf, number, plural } from './grammar.ts';
import { named, otherPlaces, roomName, shipName, spots } from './names.ts';
import type { Random } from './random.ts';
import { ask, type Topic, type Turn } from './turn.ts';
import {
  adjectives,
  animals,
  colourWords,
  days,
  foods,
  materials,
  months,
  ordinals,
  tools,
  vehicles,
} from './words.ts';

const cargo = [
  'apples',
  'wood',
  'salt',
  'wool',
  'tea',
  'stone',
  'sand',
  'corn',
  'books',
  'glass',
  'iron',
  'paper',
  'oranges',
  'sugar',
];
const sights = [
  'old clocks',
  'small ships',
  'white shells',
  'glass lamps',
  'long ropes',
  'brass bells',
  'old maps',
  'red sails',
  'tin toys',
  'big bones',
  'blue plates',
  'wooden boats',
  'stone birds',
  'warm hats',
];

function ship(r: Random): Turn {
  const name = shipName(r);
  const [colour, load] = [r.pick(colourWords), r.pick(cargo)];
  const count = r.int(1, 5);
  const kind = r.pick(['ship', 'boat', 'ferry']);
  const day = r.pick(days);
  return r.pick([
    () =>
      ask(
        r,
        [
          `The ${kind} ${name} has ${a(colour)} hull. What colour is the hull of the ${name}?`,
          `The ${name} is ${a(kind)} with ${a(colour)} hull. Which colour is the hull?`,
          `The hull of the ${name} is ${colour}. What colour was the ${name} painted?`,
        ],
        `The hull of the ${name} is ${colour}.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${kind} ${name} carried ${load}. What did the ${name} carry?`,
          `Long ago the ${name} carried ${load} over the sea. What was the load of the ${name}?`,
        ],
        `The ${name} carried ${load}.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${kind} ${name} has ${countOf(count, 'mast')}. How many masts does the ${name} have?`,
          `I can see ${countOf(count, 'mast')} on the ${name}. How many masts are there on the ${name}?`,
        ],
        `The ${name} has ${countOf(count, 'mast')}.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${kind} ${name} leaves on ${day}. When does the ${name} leave?`,
          `On ${day} the ${name} leaves the harbour. On which day does the ${name} leave?`,
        ],
        `The ${name} leaves on ${day}.`,
      ),
  ])();
}

function room(r: Random): Turn {
  const name = roomName(r);
  const [colour, sight, floor] = [r.pick(colourWords), r.pick(sights), r.pick(ordinals.slice(0, 4))];
  return r.pick([
    () =>
      ask(
        r,
        [
          `The ${name} is on the ${floor} floor. Where is the ${name}?`,
          `You find the ${name} on the ${floor} floor. On which floor is the ${name}?`,
        ],
        `The ${name} is on the ${floor} floor.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${name} shows ${sight}. What can I see in the ${name}?`,
          `There are ${sight} in the ${name}. What does the ${name} show?`,
        ],
        `In the ${name} you can see ${sight}.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${name} has ${a(colour)} door. What colour is the door of the ${name}?`,
          `The door of the ${name} is ${colour}. Which colour has the door?`,
        ],
        `The door of the ${name} is ${colour}.`,
      ),
  ])();
}

function price(r: Random): Turn {
  const { name: material } = r.pick(materials);
  const { name } = r.pick(tools);
  const thing = `${r.pick(adjectives.slice(0, 3))} ${name}`;
  const coins = r.int(2, 20);
  return r.pick([
    () =>
      ask(
        r,
        [
          `${capital(a(thing))} costs ${countOf(coins, 'coin')}. How much is the ${thing}?`,
          `The price of the ${thing} is ${countOf(coins, 'coin')}. What does the ${thing} cost?`,
          `I paid ${countOf(coins, 'coin')} for the ${thing}. What was the price of the ${thing}?`,
        ],
        `The ${thing} costs ${countOf(coins, 'coin')}.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${thing} is made of ${material}. What is the ${thing} made of?`,
          `They made the ${thing} of ${material}. Which material is it?`,
        ],
        `The ${thing} is made of ${material}.`,
      ),
  ])();
}

function whereIs(r: Random): Turn {
  const thing = `${r.pick(colourWords)} ${r.pick(tools).name}`;
  const animal = `${r.pick(adjectives)} ${r.pick(animals).name}`;
  const spot = r.pick(spots);
  return r.pick([
    () =>
      ask(
        r,
        [
          `The ${thing} is ${spot}. Where is the ${thing}?`,
          `I put the ${thing} ${spot}. Where can I find the ${thing}?`,
        ],
        `The ${thing} is ${spot}.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${animal} sleeps ${spot}. Where does the ${animal} sleep?`,
          `${capital(a(animal))} sleeps ${spot}. Where is the ${animal}?`,
        ],
        `The ${animal} sleeps ${spot}.`,
      ),
    () => ask(r, [`The ${thing} is ${spot}. What is ${spot}?`], `The ${thing} is ${spot}.`),
  ])();
}

function opening(r: Random): Turn {
  const { name } = r.pick(otherPlaces);
  const [open, close] = [r.int(6, 11), r.int(3, 9)];
  const day = r.pick(days);
  const part = close < 6 ? 'in the afternoon' : 'in the evening';
  const clock = (hour: number) =>
    ['', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven'][hour]!;
  return r.pick([
    () =>
      ask(
        r,
        [
          `The ${name} opens at ${clock(open)} in the morning. When does the ${name} open?`,
          `At what time does the ${name} open if it opens at ${clock(open)} in the morning?`,
        ],
        `The ${name} opens at ${clock(open)} in the morning.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${name} closes at ${clock(close)} ${part}. When does the ${name} close?`,
          `The ${name} is open until ${clock(close)} ${part}. At what time does it close?`,
        ],
        `The ${name} closes at ${clock(close)} ${part}.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${name} is closed on ${day}. On which day is the ${name} closed?`,
          `On ${day} nobody can visit the ${name}. When is the ${name} closed?`,
        ],
        `The ${name} is closed on ${day}.`,
      ),
    () =>
      ask(
        r,
        [
          `The ${name} has a meal for all guests at noon. When is the meal?`,
          `At noon all guests of the ${name} eat together. At what time do they eat?`,
        ],
        `The meal is at noon.`,
      ),
    () =>
      ask(
        r,
        [
          `The oldest thing in the ${name} is ${a(r.pick(tools).name)} and the newest is a window. What is the newest thing?`,
        ],
        `The newest thing in the ${name} is a window.`,
      ),
    () =>
      ask(
        r,
        [`There is a party at the ${name} in ${r.pick(months)}. Where is the party?`],
        `The party is at the ${name}.`,
      ),
  ])();
}

const rules = [
  ['bring a dog', 'Dogs must wait outside.', 'Dogs are welcome.'],
  ['take photos', 'Please leave your camera in the bag.', 'You may take photos.'],
  ['eat my own food', 'Please eat your food outside.', 'There are tables for your own food.'],
  ['bring a big bag', 'Big bags must go into a locker.', 'There is room for big bags.'],
  ['ride my bicycle', 'Please leave your bicycle at the gate.', 'There is a path for bicycles.'],
  ['run and shout', 'Please walk slowly and speak quietly.', 'Children may run and shout.'],
  ['touch the old things', 'Please do not touch anything.', 'You may touch everything with clean hands.'],
  ['park my car', 'There is no place for cars.', 'There is a place for cars behind the house.'],
  ['borrow an umbrella', 'Nobody lends umbrellas here.', 'You can borrow an umbrella at the desk.'],
  ['pay with coins', 'You can only pay with a card.', 'You can pay with coins.'],
] as const;

function rule(r: Random): Turn {
  const [act, no, yes] = r.pick(rules);
  const place = r.pick(otherPlaces).name;
  const isAllowed = r.chance(0.5);
  const text = isAllowed ? yes : no;
  return ask(
    r,
    [
      `This is the rule of the ${place}: ${text} Can I ${act} there?`,
      `A sign at the ${place} says: ${text} May I ${act}?`,
      `At the ${place} they told me: ${text} Am I allowed to ${act}?`,
    ],
    `${isAllowed ? 'Yes' : 'No'}, ${text.charAt(0).toLowerCase()}${text.slice(1)}`,
  );
}

function visit(r: Random): Turn {
  const place = r.pick(otherPlaces).name;
  const [coins, other, steps] = [r.int(2, 12), r.int(13, 30), r.int(3, 49)];
  const day = r.pick(days);
  const food = r.pick(foods).name;
  return r.pick([
    () =>
      ask(
        r,
        [
          `A ticket for the ${place} costs ${countOf(coins, 'coin')}. How much is a ticket?`,
          `I paid ${countOf(coins, 'coin')} for a ticket to the ${place}. What does a ticket cost?`,
        ],
        `A ticket costs ${countOf(coins, 'coin')}.`,
      ),
    () =>
      ask(
        r,
        [
          `A family ticket for the ${place} costs ${countOf(other, 'coin')} and a child pays ${countOf(coins, 'coin')}. How much does a child pay?`,
          `At the ${place} a child pays ${countOf(coins, 'coin')} and a family pays ${countOf(other, 'coin')}. What is the price for a child?`,
        ],
        `A child pays ${countOf(coins, 'coin')}.`,
      ),
    () =>
      ask(
        r,
        [
          `The tower of the ${place} has ${countOf(steps, 'step')}. How many steps does the tower have?`,
          `I counted ${countOf(steps, 'step')} in the tower of the ${place}. How many steps are there?`,
        ],
        `The tower has ${countOf(steps, 'step')}.`,
      ),
    () =>
      ask(
        r,
        [
          `The tour of the ${place} starts on ${day} and takes ${number(steps)} minutes. How long does the tour take?`,
          `A guide leads a tour of the ${place} on ${day}. It takes ${number(steps)} minutes. How long is the tour?`,
        ],
        `The tour takes ${number(steps)} minutes.`,
      ),
    () =>
      ask(
        r,
        [
          `On ${day} the ${place} has ${food} soup. Which soup is there on ${day}?`,
          `The ${place} sells ${food} soup on ${day}. What soup can I eat on ${day}?`,
        ],
        `The ${place} has ${food} soup on ${day}.`,
      ),
  ])();
}

function who(r: Random): Turn {
  const [one, two] = r.sample(animals, 2) as [(typeof animals)[number], (typeof animals)[number]];
  const [trait, other] = r.sample(adjectives, 2) as [string, string];
  const food = plural(r.pick(foods).name);
  return r.pick([
    () =>
      ask(
        r,
        [
          `The ${one.name} is ${trait} and the ${two.name} is ${other}. Who is ${trait}?`,
          `The ${two.name} is ${other}, but the ${one.name} is ${trait}. Who is ${trait}?`,
        ],
        `The ${one.name} is ${trait}.`,
      ),
    () =>
      ask(
        r,
        [`The ${one.name} gave ${food} to the ${two.name}. Who has the ${food} now?`],
        `The ${two.name} has the ${food} now.`,
      ),
    () =>
      ask(
        r,
        [`The ${one.name} gave ${food} to the ${two.name}. What did the ${two.name} get?`],
        `The ${two.name} got ${food}.`,
      ),
    () =>
      ask(
        r,
        [`The ${one.name} came by ${r.pick(vehicles).name} and the ${two.name} came later. Who came first?`],
        `The ${one.name} came first.`,
      ),
  ])();
}

export const readingTopics: readonly (readonly [number, Topic])[] = [
  [4, ship],
  [4, room],
  [4, price],
  [3, whereIs],
  [3, opening],
  [3, rule],
  [3, visit],
  [3, named],
  [3, who],
];
