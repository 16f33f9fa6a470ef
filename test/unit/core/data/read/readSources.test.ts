import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { makeFile, makeFolder, toLines } from '../dataFiles.ts';

const row = (n: number) => ({ question: `What is ${n}?`, answer: `It is ${n}.` });
const turns = [
  { who: 'Kunde', says: 'Hallo' },
  { who: 'Bot', says: 'Guten Tag' },
];

describe('encodings', () => {
  /** Every Chinese character of GB 2312's first level, as bytes and as text. */
  const characters: [string, number, number][] = [];
  for (let high = 0xb0; high <= 0xd6; high++) {
    for (let low = 0xa1; low <= 0xf9; low++) {
      characters.push([new TextDecoder('gb18030').decode(Uint8Array.of(high, low)), high, low]);
    }
  }

  it('reads GBK, whatever Chinese text it holds, and says so', async () => {
    const text = fc.array(fc.constantFrom(...characters), { minLength: 3, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, text, async (question, answer) => {
        const quoted = (parts: typeof question) => parts.flatMap(([, high, low]) => [high, low]);
        const ascii = (part: string) => [...Buffer.from(part)];
        const bytes = [
          ...ascii('question,answer\n'),
          ...quoted(question),
          ...ascii(','),
          ...quoted(answer),
          ...ascii('\n'),
        ];
        const dataset = await readDataset(makeFile('zh.csv', Uint8Array.from(bytes)));
        expect(dataset.encoding).toBe('GB18030');
        const spoken = [question, answer].map(parts => parts.map(([character]) => character).join(''));
        expect(dataset.examples).toMatchObject([{ messages: spoken.map(content => ({ content })) }]);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    [
      'Windows-1252',
      Buffer.from(toLines([row(1), { question: 'Où? 5 €', answer: 'Là.' }]).replace('€', '\x80'), 'latin1'),
    ],
    ['UTF-16 LE', Buffer.from(toLines([row(1), { question: 'Où? 5 €', answer: 'Là.' }]), 'utf16le')],
    [
      'UTF-16 LE with BOM',
      Buffer.from(`\ufeff${toLines([row(1), { question: 'Où? 5 €', answer: 'Là.' }])}`, 'utf16le'),
    ],
    [
      'UTF-16 BE with BOM',
      Buffer.from(`\ufeff${toLines([row(1), { question: 'Où? 5 €', answer: 'Là.' }])}`, 'utf16le').swap16(),
    ],
  ])('reads %s and says so', async (name, bytes) => {
    const { encoding, examples } = await readDataset(makeFile('a.jsonl', bytes));
    expect(encoding).toBe(name);
    expect(examples[1]).toMatchObject({ messages: [{ content: 'Où? 5 €' }, { content: 'Là.' }] });
  });

  it('takes the encoding that it is given', async () => {
    const file = makeFile('a.csv', Buffer.from('question,answer\nWer?,\xc4\xe3\n', 'latin1'));
    const answer = async (encoding: 'gb18030' | 'windows-1252') => (await readDataset(file, { encoding })).examples[0];
    expect(await answer('gb18030')).toMatchObject({ messages: [{}, { content: '你' }] });
    expect(await answer('windows-1252')).toMatchObject({ messages: [{}, { content: 'Äã' }] });
  });

  it('calls a wrong byte in good UTF-8 damage, with its line', async () => {
    const text = toLines(Array.from({ length: 9 }, () => ({ question: 'Où?', answer: 'Là: 你好' })));
    const bytes = Buffer.concat([Buffer.from(text), Buffer.from('{"question":"caf\xe9","answer":"b"}\n', 'latin1')]);
    await expect(readDataset(makeFile('a.jsonl', bytes))).rejects.toMatchObject({
      code: 'dataset-unreadable',
      line: 10,
    });
  });
});

describe('folders, patterns and registries', () => {
  const makeShelf = () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'deep', '.hidden'), { recursive: true });
    writeFileSync(join(folder, 'a.jsonl'), toLines([row(1), row(2)]));
    writeFileSync(join(folder, 'deep', 'b.jsonl.gz'), gzipSync(toLines([row(3)])));
    writeFileSync(join(folder, 'deep', 'c.csv'), 'question,answer\nWhat is 4?,It is 4.\n');
    writeFileSync(join(folder, 'deep', '.hidden', 'd.jsonl'), toLines([row(9)]));
    writeFileSync(join(folder, 'README.md'), '# Not a row\n');
    return folder;
  };

  it('reads the datasets of a folder in order, each row with its file', async () => {
    const folder = makeShelf();
    const dataset = await readDataset(folder);
    expect(dataset.examples.map(({ origin }) => [origin.file.slice(folder.length + 1), origin.line])).toEqual(
      [
        ['a.jsonl', 1],
        ['a.jsonl', 2],
        ['deep/b.jsonl.gz', 1],
        ['deep/c.csv', 2],
      ].map(([file, line]) => [join(String(file)), line]),
    );
    expect(dataset.files).toHaveLength(3);
  });

  it('hashes a folder by names and content, wherever it stands', async () => {
    const [one, two] = [makeShelf(), makeShelf()];
    expect((await readDataset(one)).sha256).toBe((await readDataset(two)).sha256);
    writeFileSync(join(two, 'a.jsonl'), toLines([row(1), row(5)]));
    expect((await readDataset(one)).sha256).not.toBe((await readDataset(two)).sha256);
  });

  it.each([
    ['*.jsonl', 2],
    ['**/*.{gz,csv}', 2],
    ['deep/[!b]*', 1],
    ['**/?.jsonl*', 3],
  ])('reads what the pattern %s fits', async (pattern, count) => {
    expect((await readDataset(join(makeShelf(), pattern))).examples).toHaveLength(count);
  });

  it('refuses files of another shape, an empty folder and a pattern that fits nothing', async () => {
    const folder = makeShelf();
    writeFileSync(join(folder, 'z.jsonl'), toLines([{ text: 'Running text.' }]));
    await expect(readDataset(folder)).rejects.toMatchObject({ code: 'dataset-invalid', file: join(folder, 'z.jsonl') });
    await expect(readDataset(makeFolder())).rejects.toMatchObject({ code: 'dataset-empty' });
    await expect(readDataset(join(folder, '*.xyz'))).rejects.toMatchObject({ code: 'dataset-unreadable' });
  });

  it("reads LLaMA-Factory's dataset_info.json: its entries, and as a hint beside a registered file", async () => {
    const folder = makeFolder();
    const registry = join(folder, 'dataset_info.json');
    const tags = { role_tag: 'who', content_tag: 'says', user_tag: 'Kunde', assistant_tag: 'Bot' };
    const entries = {
      tickets: { file_name: 'tickets.json', formatting: 'sharegpt', columns: { messages: 'verlauf' }, tags },
      pairs: {
        file_name: 'pairs.json',
        ranking: true,
        columns: { prompt: 'q', query: 'x', chosen: 'g', rejected: 'b' },
      },
      alpaca: { file_name: 'alpaca.json', columns: { prompt: 'befehl', response: 'antwort' } },
      hub: { hf_hub_url: 'somebody/something' },
      outside: { file_name: '../secret.json' },
    };
    writeFileSync(registry, JSON.stringify(entries));
    writeFileSync(join(folder, 'tickets.json'), JSON.stringify([{ verlauf: turns }]));
    writeFileSync(join(folder, 'pairs.json'), JSON.stringify([{ q: 'Say', x: 'hi', g: 'Hi.', b: 'No.' }]));
    writeFileSync(join(folder, 'alpaca.json'), JSON.stringify([{ befehl: 'Say hi', antwort: 'Hi.' }]));
    const spoken = [
      { role: 'user', content: 'Hallo' },
      { role: 'assistant', content: 'Guten Tag' },
    ];
    expect((await readDataset(`${registry}#tickets`)).examples).toMatchObject([{ messages: spoken }]);
    const hinted = await readDataset(join(folder, 'tickets.json'));
    expect(hinted.examples).toMatchObject([{ messages: spoken }]);
    expect(hinted.mapping).toMatchObject({ isChosen: false, reason: expect.stringMatching(/tickets/) as string });
    expect((await readDataset(`${registry}#pairs`)).examples).toMatchObject([
      { prompt: [{ content: 'Say\n\nhi' }], chosen: [{ content: 'Hi.' }], rejected: [{ content: 'No.' }] },
    ]);
    expect((await readDataset(`${registry}#alpaca`)).examples).toMatchObject([
      { messages: [{ content: 'Say hi' }, {}] },
    ]);
    for (const name of ['', '#none', '#hub', '#outside']) {
      await expect(readDataset(`${registry}${name}`)).rejects.toMatchObject({
        code: 'dataset-invalid',
        file: registry,
      });
    }
  });

  it("reads LlamaIndex's events and evaluation files, and says that its embedding pairs have no answers", async () => {
    const event = {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
      ],
    };
    expect((await readDataset(makeFile('finetuning_events.jsonl', toLines([event, event])))).examples).toHaveLength(2);
    const examples = [{ query: 'Why?', reference_contexts: ['Because.'], reference_answer: 'So.', query_by: null }];
    const rag = await readDataset(makeFile('rag_dataset.json', JSON.stringify({ examples })));
    expect(rag.examples).toMatchObject([{ messages: [{ content: 'Why?' }, { content: 'So.' }] }]);
    const pairs = { queries: { a: 'Why?' }, corpus: { b: 'Text' }, relevant_docs: { a: ['b'] }, mode: 'text' };
    await expect(readDataset(makeFile('pairs.json', JSON.stringify(pairs)))).rejects.toThrow(/an answer/);
  });
});

describe('running text', () => {
  it('loses nothing but blank lines and gives each piece its line, however long lines are', async () => {
    const word = fc.constantFrom(
      'one ',
      'zwei. ',
      '三。',
      '# ',
      '```\n',
      '\n',
      '\n\n',
      '\r\n',
      `${'long '.repeat(2000)}`,
      '😀',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 60 }),
        fc.constantFrom('.txt', '.md'),
        async (words, extension) => {
          const text = `x${words.join('')}`;
          const { examples } = await readDataset(makeFile(`a${extension}`, text));
          const solid = (value: string) => value.replace(/\s/g, '');
          const pieces = examples.map(example => (example.kind === 'text' ? example.text : ''));
          expect(solid(pieces.join(''))).toBe(solid(text));
          const lines = text.split('\n');
          for (const { kind, origin, ...rest } of examples) {
            const start = solid('text' in rest ? rest.text.split('\n')[0]! : '');
            expect([kind, solid(lines[origin.line - 1]!).includes(start)]).toEqual(['text', true]);
          }
          expect(Math.max(...pieces.map(piece => piece.length))).toBeLessThanOrEqual(6400);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends pieces of Markdown before headings and never inside a fenced block', async () => {
    const section = (name: string) =>
      `# ${name}\n\n${'Words of it. '.repeat(80)}\n\n\`\`\`py\n# no heading\n\nx = 1\n\`\`\`\n\n`;
    const { examples, format } = await readDataset(
      makeFile('a.md', section('One') + section('Two') + section('Three')),
    );
    expect(format).toBe('markdown');
    expect(examples.map(example => example.kind === 'text' && example.text.split('\n')[0])).toEqual([
      '# One',
      '# Two',
      '# Three',
    ]);
  });
});
