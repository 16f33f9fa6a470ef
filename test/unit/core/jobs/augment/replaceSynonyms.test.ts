import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listContentWords, replaceSynonyms } from '../../../../../src/core/jobs/augment/replaceSynonyms.ts';
import { parseThesaurus, readThesaurus, writeThesaurus } from '../../../../../src/core/jobs/augment/thesaurus.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

const words = parseThesaurus('big: large\nhouse: building\nreturn: come back\nkeeper: warden\nold: ancient');

describe('replaceSynonyms', () => {
  it('keeps capitals, plurals and articles right', () => {
    expect(replaceSynonyms('Keepers return. An old house, a big one.', words, 1, [1])).toBe(
      'Wardens come back. An ancient building, a large one.',
    );
    expect(replaceSynonyms('A big house', parseThesaurus('big: enormous'), 1, [1])).toBe('An enormous house');
  });

  it('leaves names, code, links, placeholders and words with digits alone', () => {
    const text = 'See Big Ben, `big`, https://x.org/big {big} big2 <big>.';
    expect(replaceSynonyms(text, words, 1, [1])).toBe(text);
  });

  it('changes the share that is asked for, the same by the same seeds and others by others', () => {
    const text = 'big house old keeper '.repeat(10).trim();
    const changed = (seed: number) => replaceSynonyms(text, words, 0.25, [seed]);
    const differing = changed(1)
      .split(' ')
      .filter((word, i) => word !== text.split(' ')[i]);
    expect(differing).toHaveLength(10);
    expect(changed(1)).toBe(changed(1));
    expect(new Set([1, 2, 3, 4].map(changed)).size).toBe(4);
  });

  it('takes a text of a megabyte without spaces', () => {
    expect(replaceSynonyms('字'.repeat(1_000_000), words, 1, [1])).toHaveLength(1_000_000);
  });
});

describe('listContentWords', () => {
  it('gives words that carry meaning, in lower case, without names inside a sentence', () => {
    expect(listContentWords('Which lighthouse did Mary build there?')).toEqual(['lighthouse', 'build']);
  });
});

describe('parseThesaurus', () => {
  it('reads what teachers write, and back what it writes itself', () => {
    const text = 'Sure!\n- **big**: large, great\n2. `small`: little; tiny.\nold\tancient\nold: old\nnothing here';
    const parsed = parseThesaurus(text);
    expect([...parsed]).toEqual([
      ['big', ['large', 'great']],
      ['small', ['little', 'tiny']],
      ['old', ['ancient']],
    ]);
    expect(parseThesaurus(writeThesaurus(parsed))).toEqual(new Map([...parsed].sort(([a], [b]) => (a < b ? -1 : 1))));
  });
});

describe('readThesaurus', () => {
  it("takes the first sense of WordNet's most used part of speech", () => {
    const folder = join(temporaryFolder(), 'dict');
    mkdirSync(folder);
    const head = '  1 a licence\n';
    const lines = [
      '00000000 03 n 02 pier 0 dock 0 000 | a platform',
      '00000000 03 n 01 pier 0 000 | a support',
      '00000000 30 v 02 dock 0 land(p) 0 000 | come in',
    ];
    for (const [part, data] of [
      ['noun', lines.slice(0, 2)],
      ['verb', lines.slice(2)],
      ['adj', []],
      ['adv', []],
    ] as const)
      writeFileSync(join(folder, `data.${part}`), head + data.map(line => `${line}\n`).join(''));
    const first = String(head.length).padStart(8, '0');
    const second = String(head.length + lines[0]!.length + 1).padStart(8, '0');
    writeFileSync(
      join(folder, 'index.noun'),
      `${head}pier n 2 1 @ 2 7 ${first} ${second}  \ndock n 1 1 @ 1 2 ${first}  \nbig_pier n 1 0 1 0 ${second}  \n`,
    );
    writeFileSync(join(folder, 'index.verb'), `dock v 1 0 1 5 ${first}  \n`);
    for (const part of ['adj', 'adv']) writeFileSync(join(folder, `index.${part}`), head);
    expect([...readThesaurus(folder)]).toEqual([
      ['pier', ['dock']],
      ['dock', ['land']],
    ]);
  });

  it('refuses a file without words and a path that is none', () => {
    const path = join(temporaryFolder(), 'empty.txt');
    writeFileSync(path, 'x');
    for (const wrong of [path, `${path}.none`]) expect(() => readThesaurus(wrong)).toThrow(/expected/);
  });
});
