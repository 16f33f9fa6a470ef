/** Questions about the everyday world of words.ts. */
import { a, capital, list, placePreposition, plural } from './grammar.ts';
import type { Random } from './random.ts';
import { ask, type Topic, type Turn } from './turn.ts';
import {
  animals,
  colours,
  colourWords,
  dishes,
  foods,
  howTos,
  jobs,
  materials,
  opposites,
  places,
  senses,
  things,
  tools,
  vehicles,
  whys,
} from './words.ts';

function aboutAnimal(r: Random): Turn {
  const { name, home, food, young, sound, legs, skill, colour } = r.pick(animals);
  const one = a(name);
  return r.pick([
    () =>
      ask(
        r,
        [
          `What does ${one} eat?`,
          `What do ${plural(name)} eat?`,
          `Tell me what ${one} eats.`,
          `What is the food of ${one}?`,
          `What does ${one} like to eat?`,
        ],
        `${capital(one)} eats ${food}.`,
      ),
    () =>
      ask(
        r,
        [
          `Where does ${one} live?`,
          `Where do ${plural(name)} live?`,
          `Where can I find ${one}?`,
          `Where is the home of ${one}?`,
        ],
        `${capital(one)} lives ${home}.`,
      ),
    () =>
      ask(
        r,
        [`What is a young ${name} called?`, `What do you call a young ${name}?`, `What is the young of ${one} called?`],
        `A young ${name} is called ${a(young)}.`,
      ),
    () =>
      ask(
        r,
        [`What sound does ${one} make?`, `How does ${one} sound?`, `What does ${one} do when it makes a sound?`],
        `${capital(one)} ${sound}.`,
      ),
    () =>
      ask(
        r,
        [
          `How many legs does ${one} have?`,
          `How many legs do ${plural(name)} have?`,
          `Tell me how many legs ${one} has.`,
        ],
        `${capital(one)} has ${legs} legs.`,
      ),
    () =>
      ask(
        r,
        [`What can ${one} do?`, `What is ${one} good at?`, `What can ${plural(name)} do well?`],
        `${capital(one)} can ${skill}.`,
      ),
    () =>
      ask(
        r,
        [`What colour is ${one}?`, `Which colour does ${one} have?`, `Tell me the colour of ${one}.`],
        `${capital(one)} is often ${colour}.`,
      ),
    () =>
      ask(
        r,
        [
          `Tell me about the ${name}.`,
          `What do you know about ${plural(name)}?`,
          `Please tell me something about the ${name}.`,
        ],
        `${capital(one)} lives ${home}. It eats ${food} and it can ${skill}.`,
      ),
    () =>
      ask(
        r,
        [`What is ${one}?`, `Can you explain what ${one} is?`],
        `${capital(one)} is an animal that lives ${home}.`,
      ),
  ])();
}

function compareAnimals(r: Random): Turn {
  const [one, two] = r.sample(animals, 2) as [(typeof animals)[number], (typeof animals)[number]];
  if (one.size === two.size) {
    return ask(
      r,
      [`Which is bigger, ${a(one.name)} or ${a(two.name)}?`],
      `${capital(a(one.name))} and ${a(two.name)} are about the same size.`,
    );
  }
  const [big, little] = Number(one.size) > Number(two.size) ? [one, two] : [two, one];
  return r.pick([
    () =>
      ask(
        r,
        [`Which is bigger, ${a(one.name)} or ${a(two.name)}?`],
        `${capital(a(big.name))} is bigger than ${a(little.name)}.`,
      ),
    () =>
      ask(
        r,
        [`Which is smaller, ${a(one.name)} or ${a(two.name)}?`],
        `${capital(a(little.name))} is smaller than ${a(big.name)}.`,
      ),
    () =>
      ask(
        r,
        [`Is ${a(one.name)} bigger than ${a(two.name)}?`],
        one === big
          ? `Yes, ${a(one.name)} is bigger than ${a(two.name)}.`
          : `No, ${a(one.name)} is smaller than ${a(two.name)}.`,
      ),
  ])();
}

function aboutFood(r: Random): Turn {
  const { name, kind, colour, taste, source } = r.pick(foods);
  const one = a(name);
  return r.pick([
    () =>
      ask(
        r,
        [`What colour is ${one}?`, `Which colour does ${one} have?`, `Tell me the colour of ${one}.`],
        `${capital(one)} is ${colour}.`,
      ),
    () => ask(r, [`How does ${one} taste?`, `What does ${one} taste like?`], `${capital(one)} tastes ${taste}.`),
    () =>
      ask(
        r,
        [`Where does ${one} come from?`, `Where do ${plural(name)} grow?`],
        `${capital(one)} comes from ${source}.`,
      ),
    () => ask(r, [`What is ${one}?`, `What kind of food is ${one}?`], `${capital(one)} is a ${taste} ${kind}.`),
    () => {
      const asked = r.pick(['fruit', 'vegetable']);
      const answer = asked === kind ? `Yes, ${one} is a ${kind}.` : `No, ${one} is a ${kind}.`;
      return ask(r, [`Is ${one} a ${asked}?`, `Is ${one} a ${asked} or not?`], answer);
    },
  ])();
}

function nameThree(r: Random): Turn {
  const count = r.pick([
    ['two', 2],
    ['three', 3],
    ['four', 4],
  ] as const);
  const fruit = () => foods.filter(food => food.kind === 'fruit').map(food => food.name);
  const vegetable = () => foods.filter(food => food.kind === 'vegetable').map(food => food.name);
  const [what, names] = r.pick([
    ['fruits', fruit()],
    ['vegetables', vegetable()],
    ['animals', animals.map(animal => animal.name)],
    ['tools', tools.slice(0, 14).map(tool => tool.name)],
    ['farm animals', animals.filter(animal => animal.home === 'on a farm').map(animal => animal.name)],
    ['sea animals', animals.filter(animal => animal.home.includes('sea')).map(animal => animal.name)],
    ['colours', [...colourWords]],
    ['jobs', jobs.map(job => job.name)],
    ['vehicles', vehicles.map(vehicle => vehicle.name)],
    ['places in a town', places.slice(0, 18).map(place => place.name)],
  ] as const);
  const chosen = r.sample(names, count[1]);
  const items = what === 'colours' ? chosen : chosen.map(a);
  return ask(
    r,
    [
      `Name ${count[0]} ${what}.`,
      `Can you name ${count[0]} ${what}?`,
      `Tell me ${count[0]} ${what}.`,
      `I need ${count[0]} ${what}, please.`,
    ],
    what === 'colours'
      ? `${capital(list(items))} are ${count[0]} colours.`
      : `${capital(list(items))} are ${count[0]} ${what}.`,
  );
}

function aboutDish(r: Random): Turn {
  const { name, made, warm } = r.pick(dishes);
  const verb = name === 'pancakes' ? 'are' : 'is';
  return r.pick([
    () =>
      ask(
        r,
        [`What ${verb} ${name} made of?`, `What do I need for ${name}?`, `Tell me what ${name} ${verb} made of.`],
        `${capital(name)} ${verb} made of ${made}.`,
      ),
    () =>
      ask(
        r,
        [`How ${verb} ${name} best?`, `How do people like ${name}?`],
        `${capital(name)} ${verb} best when ${verb === 'are' ? 'they are' : 'it is'} ${warm}.`,
      ),
  ])();
}

function aboutTool(r: Random): Turn {
  const { name, use, material, place } = r.pick(tools);
  const one = a(name);
  return r.pick([
    () =>
      ask(
        r,
        [
          `What is ${one} for?`,
          `What do you do with ${one}?`,
          `What can I do with ${one}?`,
          `Why do people have ${one}?`,
        ],
        `You use ${one} to ${use}.`,
      ),
    () =>
      ask(
        r,
        [`What do I need to ${use}?`, `Which thing helps me to ${use}?`, `I want to ${use}. What do I need?`],
        `You need ${one} to ${use}.`,
      ),
    () =>
      ask(
        r,
        [`What is ${one} made of?`, `Which material is ${one} made of?`],
        `${capital(one)} is often made of ${material}.`,
      ),
    () =>
      ask(
        r,
        [`Where is the ${name}?`, `Where can I find the ${name}?`, `Where do people keep ${one}?`],
        `You can often find ${one} ${place}.`,
      ),
    () =>
      ask(
        r,
        [`What is ${one}?`, `Can you explain what ${one} is?`],
        `${capital(one)} is a thing that you use to ${use}.`,
      ),
  ])();
}

function aboutPlace(r: Random): Turn {
  const { name, act, found } = r.pick(places);
  const one = a(name);
  const where = `${placePreposition(name)} ${one}`;
  return r.pick([
    () =>
      ask(
        r,
        [`What is ${one}?`, `Can you explain what ${one} is?`, `What does the word ${name} mean?`],
        `${capital(one)} is a place where you can ${act}.`,
      ),
    () =>
      ask(
        r,
        [`What can I do ${where}?`, `What do people do ${where}?`, `Why do people go to ${one}?`],
        `You can ${act} there.`,
      ),
    () =>
      ask(
        r,
        [`Where can I ${act}?`, `I want to ${act}. Where should I go?`, `Where do people ${act}?`],
        `You can ${act} ${where}.`,
      ),
    () =>
      ask(
        r,
        [`What can you see ${where}?`, `What is there ${where}?`, `What will I find ${where}?`],
        `${capital(where)} you can see ${found}.`,
      ),
  ])();
}

function aboutJob(r: Random): Turn {
  const { name, act, place, thing } = r.pick(jobs);
  const one = a(name);
  return r.pick([
    () =>
      ask(
        r,
        [`What does ${one} do?`, `What is the work of ${one}?`, `Tell me what ${one} does.`],
        `${capital(one)} ${act}.`,
      ),
    () => ask(r, [`Where does ${one} work?`, `Where can I meet ${one}?`], `${capital(one)} works ${place}.`),
    () => ask(r, [`What does ${one} use?`, `What does ${one} need for the work?`], `${capital(one)} uses ${thing}.`),
    () => ask(r, [`Who ${act}?`, `Which person ${act}?`], `${capital(one)} ${act}.`),
  ])();
}

function aboutVehicle(r: Random): Turn {
  const { name, way, load, drive } = r.pick(vehicles);
  const one = a(name);
  return r.pick([
    () => ask(r, [`Where does ${one} go?`, `Where do you see ${one}?`], `${capital(one)} goes ${way}.`),
    () => ask(r, [`What does ${one} carry?`, `What can ${one} carry?`], `${capital(one)} carries ${load}.`),
    () => ask(r, [`What moves ${one}?`, `How does ${one} move?`], `${capital(one)} moves with the help of ${drive}.`),
  ])();
}

function define(r: Random): Turn {
  const { name, what } = r.pick(things);
  const one = name === 'fog' ? 'fog' : a(name);
  return ask(
    r,
    [
      `What is ${one}?`,
      `What does the word ${name} mean?`,
      `Please explain the word ${name}.`,
      `Can you tell me what ${one} is?`,
    ],
    `${capital(one)} is ${what}.`,
  );
}

function opposite(r: Random): Turn {
  const pair = r.pick(opposites);
  const [one, other] = r.chance(0.5) ? [pair.one, pair.other] : [pair.other, pair.one];
  return ask(
    r,
    [`What is the opposite of ${one}?`, `Which word is the opposite of ${one}?`, `Tell me the opposite of ${one}.`],
    `The opposite of ${one} is ${other}.`,
  );
}

function colourOf(r: Random): Turn {
  const { thing, colour } = r.pick(colours);
  return r.pick([
    () =>
      ask(
        r,
        [`What colour is ${thing}?`, `Which colour has ${thing}?`, `Tell me the colour of ${thing}.`],
        `${capital(thing)} is ${colour}.`,
      ),
    () => ask(r, [`Is ${thing} ${colour}?`], `Yes, ${thing} is ${colour}.`),
    () => {
      const other = r.pick(colourWords.filter(word => word !== colour));
      return ask(r, [`Is ${thing} ${other}?`], `No, ${thing} is ${colour}.`);
    },
  ])();
}

function sense(r: Random): Turn {
  const { part, use } = r.pick(senses);
  return ask(
    r,
    [`What do you do with your ${part}?`, `Why do we have ${part}?`, `What are ${part} for?`].slice(
      0,
      part === 'nose' || part === 'tongue' || part === 'mouth' || part === 'brain' ? 1 : 3,
    ),
    `You use your ${part} to ${use}.`,
  );
}

function aboutMaterial(r: Random): Turn {
  const { name, traits, source, use } = r.pick(materials);
  return r.pick([
    () => ask(r, [`What is ${name} like?`, `How does ${name} feel?`], `${capital(name)} is ${traits}.`),
    () =>
      ask(r, [`Where does ${name} come from?`, `What is ${name} made from?`], `${capital(name)} comes from ${source}.`),
    () =>
      ask(
        r,
        [`What is ${name} good for?`, `What do people make of ${name}?`, `What can you make with ${name}?`],
        `People use ${name} for ${use}.`,
      ),
  ])();
}

function why(r: Random): Turn {
  const { question, answer } = r.pick(whys);
  return ask(
    r,
    [`Why ${question}?`, `Can you tell me why ${question.replace(/^(?:do|does) /, '')}?`].slice(
      0,
      question.startsWith('does') ? 1 : 2,
    ),
    answer,
  );
}

function howTo(r: Random): Turn {
  const { goal, steps } = r.pick(howTos);
  return ask(
    r,
    [
      `How do I ${goal}?`,
      `How can I ${goal}?`,
      `Tell me how to ${goal}.`,
      `What is a good way to ${goal}?`,
      `Can you help me to ${goal}?`,
    ],
    steps,
  );
}

export const factTopics: readonly (readonly [number, Topic])[] = [
  [8, aboutAnimal],
  [4, compareAnimals],
  [4, aboutFood],
  [3, nameThree],
  [1, aboutDish],
  [6, aboutTool],
  [5, aboutPlace],
  [3, aboutJob],
  [2, aboutVehicle],
  [4, define],
  [2, opposite],
  [3, colourOf],
  [1, sense],
  [2, aboutMaterial],
  [2, why],
  [2, howTo],
];
