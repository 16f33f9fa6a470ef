import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { splitHtml } from '../../../../../src/core/data/documents/htmlPassages.ts';
import { readPdf } from '../../../../../src/core/data/documents/pdfPassages.ts';
import { readDocuments } from '../../../../../src/core/data/documents/readDocuments.ts';
import { splitText } from '../../../../../src/core/data/documents/textPassages.ts';
import { makePdf } from '../../../../support/smallPdf.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

describe('splitText', () => {
  it('gives the paragraphs of Markdown with their lines, code in one piece, and no front matter', () => {
    const text = '---\ntitle: x\n---\n# Harbour\nIt is deep.\n\n```\na\n\nb\n```\n\nLast\nlines';
    expect(splitText(text, true).map(({ text, lines }) => [text, lines])).toEqual([
      ['# Harbour\nIt is deep.', [4, 5]],
      ['```\na\n\nb\n```', [7, 11]],
      ['Last\nlines', [13, 14]],
    ]);
  });

  it('keeps what only Markdown would take for marks', () => {
    expect(splitText('---\n# a\n---\nb', false)).toHaveLength(1);
  });
});

describe('splitHtml', () => {
  it('gives the text of blocks with their lines and nothing of scripts, styles and menus', () => {
    const html = [
      '<html><head><title>Tides</title><style>p{}</style></head>',
      '<body><nav>Home</nav><script>alert("x < y")</script>',
      '<h1>Low &amp; high</h1>',
      '<p>The sea',
      'goes   <b>out</b>.</p>',
      '<ul><li>twice</li>',
      '<li>a day</li></ul><pre>  a\n  b</pre>',
    ].join('\n');
    expect(splitHtml(html).map(({ text, lines }) => [text, lines])).toEqual([
      ['Tides', [1, 1]],
      ['Low & high', [3, 3]],
      ['The sea goes out.', [4, 5]],
      ['- twice', [6, 6]],
      ['- a day', [7, 7]],
      ['a\n  b', [7, 8]],
    ]);
  });

  it('takes a megabyte of broken markup in its stride', () => {
    for (const piece of ['<a ', '<!--', '<script>', '&amp', '<p', '</'])
      expect(splitHtml(piece.repeat(300_000)).length).toBeLessThan(3);
  });
});

describe('readPdf', () => {
  it('gives the paragraphs of each page, divided words joined', async () => {
    const pdf = makePdf([
      ['The harbour was built of gran-', 'ite in 1871.', '', '', 'Its light is red.'],
      ['Second (page).'],
    ]);
    const passages = await readPdf('a.pdf', pdf);
    expect(passages.map(({ text, page }) => [page, text])).toEqual([
      [1, 'The harbour was built of granite in 1871.'],
      [1, 'Its light is red.'],
      [2, 'Second (page).'],
    ]);
  });

  it('refuses what is no PDF with the file named', async () => {
    await expect(readPdf('no.pdf', new TextEncoder().encode('no pdf at all'))).rejects.toMatchObject({
      code: 'dataset-unreadable',
      file: 'no.pdf',
    });
  });
});

describe('readDocuments', () => {
  it('reads the documents of a folder at any depth in the order of their names, and nothing else', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'b'));
    writeFileSync(join(folder, 'b', 'one.html'), '<p>One</p>');
    writeFileSync(join(folder, 'a.txt'), Buffer.from('\ufeffZwei', 'utf16le'));
    writeFileSync(join(folder, 'c.pdf'), makePdf([['Three']]));
    writeFileSync(join(folder, 'rows.jsonl'), '{}');
    const documents = await readDocuments([folder]);
    expect(documents.map(({ passages }) => passages.map(({ text }) => text))).toEqual([['Zwei'], ['One'], ['Three']]);
  });

  it('says what it expected of a path that is none, of an empty folder and of another file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'x.bin'), 'x');
    writeFileSync(join(folder, 'empty.md'), '\n');
    await expect(readDocuments([join(folder, 'none.md')])).rejects.toMatchObject({ code: 'dataset-unreadable' });
    await expect(readDocuments([join(folder, 'x.bin')])).rejects.toMatchObject({ code: 'usage' });
    await expect(readDocuments([folder])).rejects.toMatchObject({ code: 'dataset-empty' });
  });
});
