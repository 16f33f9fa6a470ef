/** The little English grammar that the generators share. */

const irregularPlurals: Readonly<Record<string, string>> = {
  sheep: 'sheep',
  fish: 'fish',
  mouse: 'mice',
  goose: 'geese',
  tooth: 'teeth',
  foot: 'feet',
  child: 'children',
  leaf: 'leaves',
  loaf: 'loaves',
  knife: 'knives',
  shelf: 'shelves',
  wolf: 'wolves',
  calf: 'calves',
  scissors: 'scissors',
  trousers: 'trousers',
  glasses: 'glasses',
  deer: 'deer',
  woman: 'women',
  man: 'men',
  person: 'people',
};

export function plural(noun: string): string {
  const known = irregularPlurals[noun];
  if (known !== undefined) return known;
  if (/(?:s|x|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  if (/(?:potato|tomato)$/.test(noun)) return `${noun}es`;
  return `${noun}s`;
}

const vowelSoundsLikeConsonant = /^(?:uni|use|one|eu)/;

/** The noun with its article: `an apple`, `a useful tool`, `an hour`. */
export function a(noun: string): string {
  const isVowel = (/^[aeiou]/.test(noun) && !vowelSoundsLikeConsonant.test(noun)) || noun.startsWith('hour');
  return `${isVowel ? 'an' : 'a'} ${noun}`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `apples, pears and plums` */
export function list(items: readonly string[], word = 'and'): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)}`;
}

const small = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
];
const tens = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

/** 0 to 199 in words. */
export function number(value: number): string {
  if (value >= 100) return value === 100 ? 'one hundred' : `one hundred and ${number(value - 100)}`;
  if (value < 20) return small[value]!;
  const rest = value % 10;
  return rest === 0 ? tens[Math.floor(value / 10)]! : `${tens[Math.floor(value / 10)]} ${small[rest]}`;
}

export function countOf(value: number, noun: string): string {
  return `${number(value)} ${value === 1 ? noun : plural(noun)}`;
}

const on = ['island', 'bridge', 'beach', 'playground', 'farm'];
const at = ['harbour', 'station', 'market', 'post office', 'pool', 'lighthouse', 'theatre', 'hotel'];

/** `on` an island, `at` the market, `in` a garden. */
export function placePreposition(place: string): 'on' | 'at' | 'in' {
  return on.includes(place) ? 'on' : at.includes(place) ? 'at' : 'in';
}
