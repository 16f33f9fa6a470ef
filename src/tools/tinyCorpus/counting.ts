/** Numbers, days, months and small sums. */
import { a, capital, countOf, number, plural } from './grammar.ts';
import type { Random } from './random.ts';
import { ask, type Topic, type Turn } from './turn.ts';
import { days, foods, months, ordinals, tools } from './words.ts';

function nextNumber(r: Random): Turn {
  const value = r.int(1, 110);
  return r.pick([
    () =>
      ask(
        r,
        [`What comes after ${number(value)}?`, `Which number comes after ${number(value)}?`],
        `${capital(number(value + 1))} comes after ${number(value)}.`,
      ),
    () =>
      ask(
        r,
        [`What comes before ${number(value)}?`, `Which number comes before ${number(value)}?`],
        `${capital(number(value - 1))} comes before ${number(value)}.`,
      ),
    () =>
      ask(
        r,
        [`Count to ${number((value % 10) + 2)}.`, `Please count to ${number((value % 10) + 2)}.`],
        `${capital(Array.from({ length: (value % 10) + 2 }, (_, i) => number(i + 1)).join(', '))}.`,
      ),
  ])();
}

function sum(r: Random): Turn {
  const [one, two] = [r.int(1, 10), r.int(1, 10)];
  return r.pick([
    () =>
      ask(
        r,
        [`What is ${number(one)} plus ${number(two)}?`, `How much is ${number(one)} plus ${number(two)}?`],
        `${capital(number(one))} plus ${number(two)} is ${number(one + two)}.`,
      ),
    () =>
      ask(
        r,
        [
          `What is ${number(one + two)} minus ${number(two)}?`,
          `How much is ${number(one + two)} minus ${number(two)}?`,
        ],
        `${capital(number(one + two))} minus ${number(two)} is ${number(one)}.`,
      ),
    () => {
      const larger = Math.max(one, two);
      if (one === two) return ask(r, [`Is ${number(one)} more than ${number(two)}?`], `No, both numbers are the same.`);
      return ask(
        r,
        [
          `Which number is larger, ${number(one)} or ${number(two)}?`,
          `What is more, ${number(one)} or ${number(two)}?`,
        ],
        `${capital(number(larger))} is larger.`,
      );
    },
  ])();
}

function shopping(r: Random): Turn {
  const noun = r.pick([...foods, ...tools.filter(tool => !['scissors'].includes(tool.name))]).name;
  const [have, more] = [r.int(2, 9), r.int(1, 8)];
  const less = r.int(1, have - 1);
  return r.pick([
    () =>
      ask(
        r,
        [`I have ${countOf(have, noun)} and get ${number(more)} more. How many ${plural(noun)} do I have?`],
        `You have ${countOf(have + more, noun)}.`,
      ),
    () =>
      ask(
        r,
        [`I have ${countOf(have, noun)} and give ${number(less)} away. How many ${plural(noun)} are left?`],
        `You have ${countOf(have - less, noun)} left.`,
      ),
    () =>
      ask(
        r,
        [
          `One ${noun} costs ${countOf(have, 'coin')}. How much do two ${plural(noun)} cost?`,
          `How much do two ${plural(noun)} cost when ${a(noun)} costs ${countOf(have, 'coin')}?`,
        ],
        `Two ${plural(noun)} cost ${countOf(2 * have, 'coin')}.`,
      ),
  ])();
}

function calendar(r: Random): Turn {
  const day = r.int(0, 6);
  const month = r.int(0, 11);
  const seasons = [
    'winter',
    'winter',
    'spring',
    'spring',
    'spring',
    'summer',
    'summer',
    'summer',
    'autumn',
    'autumn',
    'autumn',
    'winter',
  ];
  const dayName = days[day]!;
  const monthName = months[month]!;
  return r.pick([
    () =>
      ask(
        r,
        [
          `Which day comes after ${dayName}?`,
          `What day comes after ${dayName}?`,
          `Today is ${dayName}. What day is tomorrow?`,
        ],
        `${days[(day + 1) % 7]} comes after ${dayName}.`,
      ),
    () =>
      ask(
        r,
        [`Which day comes before ${dayName}?`, `What day comes before ${dayName}?`],
        `${days[(day + 6) % 7]} comes before ${dayName}.`,
      ),
    () =>
      ask(
        r,
        [`Which month comes after ${monthName}?`, `What month comes after ${monthName}?`],
        `${months[(month + 1) % 12]} comes after ${monthName}.`,
      ),
    () =>
      ask(
        r,
        [`In which season is ${monthName}?`, `Which season has the month of ${monthName}?`],
        `${monthName} is in ${seasons[month]}.`,
      ),
    () =>
      ask(
        r,
        [`Which month is ${monthName}?`, `What number has the month ${monthName}?`],
        `${monthName} is the ${ordinals[month]} month of the year.`,
      ),
    () =>
      ask(
        r,
        [`Is ${dayName} on the weekend?`, `Is ${dayName} a day of the weekend?`],
        day >= 5 ? `Yes, ${dayName} is on the weekend.` : `No, ${dayName} is a working day.`,
      ),
  ])();
}

export const countingTopics: readonly (readonly [number, Topic])[] = [
  [2, nextNumber],
  [3, sum],
  [4, shopping],
  [3, calendar],
];
