/**
 * @file String behaviour of Python that chat templates rely on and that differs in JavaScript: which characters `strip`
 * removes (U+001C to U+001F and U+0085 too, but not U+FEFF) and the date formats of `strftime`.
 */

const pythonSpace = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const leadingSpace = new RegExp(`^[${pythonSpace}]+`, 'u');
const onlySpace = new RegExp(`^[${pythonSpace}]*$`, 'u');

export function isPythonSpace(text: string): boolean {
  return onlySpace.test(text);
}

/** `text.lstrip(characters)`; null means white space. */
export function stripStart(text: string, characters: string | null): string {
  if (characters === null) return text.replace(leadingSpace, '');
  let start = 0;
  for (const character of text) {
    if (!characters.includes(character)) break;
    start += character.length;
  }
  return text.slice(start);
}

/** `text.rstrip(characters)`; null means white space. A loop, because a regular expression would be quadratic here. */
export function stripEnd(text: string, characters: string | null): string {
  let end = text.length;
  while (end > 0) {
    const low = text.charCodeAt(end - 1);
    const width = low >= 0xdc00 && low <= 0xdfff && end > 1 ? 2 : 1;
    const character = text.slice(end - width, end);
    if (characters === null ? !isPythonSpace(character) : !characters.includes(character)) break;
    end -= width;
  }
  return text.slice(0, end);
}

const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

const dateFields: Readonly<Record<string, (date: Date) => string>> = {
  Y: date => String(date.getUTCFullYear()),
  y: date => pad(date.getUTCFullYear() % 100),
  m: date => pad(date.getUTCMonth() + 1),
  B: date => months[date.getUTCMonth()]!,
  b: date => months[date.getUTCMonth()]!.slice(0, 3),
  d: date => pad(date.getUTCDate()),
  A: date => days[date.getUTCDay()]!,
  a: date => days[date.getUTCDay()]!.slice(0, 3),
  H: date => pad(date.getUTCHours()),
  I: date => pad(date.getUTCHours() % 12 || 12),
  p: date => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  M: date => pad(date.getUTCMinutes()),
  S: date => pad(date.getUTCSeconds()),
  j: date => pad(Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1, 3),
  '%': () => '%',
};

/** `date.strftime(format)` in Python's C locale, in UTC. Fields that are not known stay as they are. */
export function formatDate(date: Date, format: string): string {
  return format.replace(/%([A-Za-z%])/g, (field, name: string) => dateFields[name]?.(date) ?? field);
}
