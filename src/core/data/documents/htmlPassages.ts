/**
 * @file HTML -> the text of its blocks with their lines. What is no text (scripts, styles, menus) is left out; white space is
 * folded as browsers do, except in `pre`. Nothing is run or fetched.
 */
import { decodeEntities } from '../check/markup.ts';
import type { Passage } from './passage.ts';

/** Matches tags, comments and elements that hold no text; classes exclude `<`, so that each try ends at the next one. */
const markup =
  /<!--[\s\S]*?(?:-->|$)|<(script|style|noscript|template|svg|nav|iframe|select)\b[^<>]*>[\s\S]*?(?:<\/\1\s*>|$)|<\/?([a-z][a-z0-9-]*)\b[^<>]*>|<[!?][^<>]*>/gi;
const inline = new Set(
  'a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark q ruby s samp small span strike strong sub sup time tt u var wbr'.split(
    ' ',
  ),
);

export function splitHtml(html: string): Passage[] {
  const passages: Passage[] = [];
  let held = '';
  let first = 1;
  let last = 1;
  let line = 1;
  let inPre = 0;
  let at = 0;
  const end = (): void => {
    const text = held.trim();
    if (text !== '' && text !== '-') passages.push({ text, lines: [first, last], page: null });
    held = '';
  };
  const read = (raw: string): void => {
    if (raw === '') return;
    const text = decodeEntities(raw);
    const isEmpty = held.trim() === '' || held === '- ';
    if (text.trim() !== '') {
      const before = isEmpty ? countLines(raw.slice(0, raw.length - raw.trimStart().length)) : 0;
      if (isEmpty) first = line + before;
      last = line + countLines(raw.trimEnd());
    }
    held += inPre > 0 ? text : fold(text, held);
    line += countLines(raw);
  };
  for (const match of html.matchAll(markup)) {
    read(html.slice(at, match.index));
    at = match.index + match[0].length;
    line += countLines(match[0]);
    const name = match[2]?.toLowerCase();
    if (name === undefined || inline.has(name)) continue;
    const isClosing = match[0].startsWith('</');
    if (name === 'br') {
      held += '\n';
      continue;
    }
    if (name === 'td' || name === 'th') {
      if (held.trim() !== '' && !isClosing) held += '\t';
      continue;
    }
    end();
    if (name === 'pre') inPre = Math.max(0, inPre + (isClosing ? -1 : 1));
    if (name === 'li' && !isClosing) held = '- ';
  }
  read(html.slice(at));
  end();
  return passages;
}

function fold(text: string, before: string): string {
  const folded = text.replace(/[ \t\r\n\f]+/g, ' ');
  return /[\s]$/.test(before) || before === '' ? folded.trimStart() : folded;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
