/**
 * @file Where synonyms come from -> words with their synonyms: a file of lines (`word: one, another`), a folder of WordNet 3
 * (its first sense alone: the most frequent one), or what a teacher said of the words that it was asked about.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';

/** By the word in lower case. */
export type Thesaurus = ReadonlyMap<string, readonly string[]>;

const maxBytes = 64 * 1024 * 1024;

/** @throws TuneError `usage` for what is none */
export function readThesaurus(path: string): Thesaurus {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return readWordNet(path);
  if (found === undefined || found.size > maxBytes) {
    const got = found === undefined ? 'nothing there' : `${found.size} bytes`;
    throw new TuneError('usage', `thesaurus ${path}: expected a file of words with synonyms, got ${got}`, {
      file: path,
      hint: 'One word a line: big: large, great. Or the folder "dict" of WordNet.',
    });
  }
  const words = parseThesaurus(readFileSync(path, 'utf8'));
  if (words.size > 0) return words;
  throw new TuneError('usage', `thesaurus ${path}: expected lines like "big: large, great", got none`, { file: path });
}

/** Lines that are not of the form are passed over: a teacher says more than it is asked. */
export function parseThesaurus(text: string): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:[-*•]\s+|\d+[.)]\s+)?["'`*]*(\p{L}[\p{L}'’-]*)["'`*]*\s*(?::|\t|=|→|->)\s*(.+)$/u.exec(line);
    if (match === null) continue;
    const word = match[1]!.toLowerCase();
    const synonyms = match[2]!
      .split(/[,;/]/)
      .map(part => part.trim().replace(/^["'`*]+|["'`*.]+$/g, ''))
      .filter(part => /^[\p{L}][\p{L} '’-]{0,40}$/u.test(part) && part.toLowerCase() !== word);
    if (synonyms.length > 0) words.set(word, [...new Set([...(words.get(word) ?? []), ...synonyms])]);
  }
  return words;
}

/** As a file that reads back, in the order of the words. */
export function writeThesaurus(words: Thesaurus): string {
  const lines = [...words]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, others]) => `${word}: ${others.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

const partsOfSpeech = ['noun', 'verb', 'adj', 'adv'] as const;

/** See wndb(5WN): an index line ends with its senses' offsets, the most frequent first. */
function readWordNet(folder: string): Thesaurus {
  const best = new Map<string, { uses: number; synonyms: string[] }>();
  for (const part of partsOfSpeech) {
    const [index, data] = [join(folder, `index.${part}`), join(folder, `data.${part}`)];
    if (!existsSync(index) || !existsSync(data)) {
      throw new TuneError(
        'usage',
        `thesaurus ${folder}: expected index.${part} and data.${part} of WordNet, got none`,
        {
          file: folder,
          hint: 'Name its folder "dict", or a file of words with synonyms.',
        },
      );
    }
    const bytes = readFileSync(data);
    for (const line of readFileSync(index, 'latin1').split('\n')) {
      const fields = line.trim().split(' ');
      const lemma = fields[0] ?? '';
      if (!/^[a-z][a-z'-]*$/.test(lemma)) continue;
      const senses = Number(fields[2]);
      const uses = Number(fields[fields.length - senses - 1]);
      const synonyms = readSynonyms(bytes, Number(fields[fields.length - senses]), lemma);
      const known = best.get(lemma);
      if (synonyms.length > 0 && (known === undefined || uses > known.uses)) best.set(lemma, { uses, synonyms });
    }
  }
  return new Map([...best].map(([lemma, { synonyms }]) => [lemma, synonyms]));
}

/** The other words of the set at a byte of a data file: `offset file type count(hex) word id word id ...`. */
function readSynonyms(data: Buffer, offset: number, lemma: string): string[] {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset >= data.length) return [];
  const end = data.indexOf(0x0a, offset);
  const fields = data.toString('latin1', offset, end < 0 ? data.length : end).split(' ');
  const count = Number.parseInt(fields[3] ?? '', 16);
  if (!(count > 1)) return [];
  const words = Array.from({ length: count }, (_, i) => (fields[4 + 2 * i] ?? '').replace(/\([a-z]+\)$/, ''));
  return words.filter(word => /^[a-z][a-z'-]*$/.test(word) && word !== lemma);
}
