import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatServer, sendChunk, sendError, sendStream, startStream } from '../support/chatServer.ts';
import { makePlace, runCli, startCli, waitUntil } from '../support/programs.ts';
import { makePdf } from '../support/smallPdf.ts';

interface WrittenRow {
  readonly messages: readonly { readonly content: string }[];
  readonly source: Readonly<Record<string, unknown>>;
}

const readRows = (path: string): WrittenRow[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as WrittenRow);

async function startServer(): Promise<ChatServer> {
  const server = await ChatServer.start();
  onTestFinished(() => server.stop());
  return server;
}

/** What is asked about. */
const passageOf = (question: string): string => question.split('\n\n---\n')[1]!.slice(0, -4);
const factsOf = (question: string): string[] =>
  Array.from(passageOf(question).matchAll(/Fact (\w+)/g), ([, name]) => name!);

describe('tuning-fork augment', () => {
  it('asks an endpoint with faults about documents, is killed in the midst of it, and goes on with nothing lost and nothing twice', async () => {
    const place = makePlace();
    const documents = join(place.folder, 'documents');
    mkdirSync(documents);
    const fact = (name: string) => `Fact ${name} is told here in some words and only once.`;
    const names = (kind: string) => Array.from({ length: 8 }, (_, i) => `${kind}${i}`);
    writeFileSync(join(documents, 'a.md'), names('md').map(fact).join('\n\n'));
    writeFileSync(
      join(documents, 'b.html'),
      names('html')
        .map(name => `<p>${fact(name)}</p>`)
        .join('\n'),
    );
    writeFileSync(join(documents, 'c.txt'), names('txt').map(fact).join('\n\n'));
    writeFileSync(
      join(documents, 'd.pdf'),
      makePdf([
        names('pdf')
          .map(fact)
          .flatMap(line => [line, '', '']),
      ]),
    );
    const server = await startServer();
    const answered: string[] = [];
    let stopAfter = 6;
    server.fault = ({ question, times }, response) => {
      const facts = factsOf(question);
      if (answered.length >= stopAfter) return true;
      const first = facts[0]!;
      if (times === 1 && first.endsWith('0')) {
        sendError(response, 429, 'slow', { headers: { 'retry-after': '0' } });
      } else if (times === 1 && first.endsWith('2')) {
        startStream(response);
        sendChunk(response, { content: '[{"question": "half' });
        setImmediate(() => response.destroy());
      } else if (times === 1 && first.endsWith('4')) {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [');
      } else if (times === 1 && first.endsWith('6')) {
        startStream(response);
      } else {
        answered.push(question);
        const pairs = facts.map(name => ({
          question: `What of the thing named ${name.repeat(4)}?`,
          answer: fact(name),
        }));
        sendStream(response, first === 'txt0' ? 'I would rather not.' : JSON.stringify(pairs));
      }
      return true;
    };
    const args = ['augment', '--documents', 'documents', '--recipe', 'questions:chunkTokens=32:overlapTokens=0'];
    const how = ['--teacher', server.baseUrl, '--teacher-model', 'wise', '--parallel', '3', '--timeout', '1', '--json'];
    const child = startCli([...args, ...how, '--output', 'new.jsonl'], place);
    const partial = join(place.folder, 'new.jsonl.partial.jsonl');
    await waitUntil(
      'six answers',
      () => existsSync(partial) && readFileSync(partial, 'utf8').split('\n').length - 2 >= 6,
    );
    child.process.kill('SIGKILL');
    await child.ended;
    expect(existsSync(join(place.folder, 'new.jsonl'))).toBe(false);

    stopAfter = Number.POSITIVE_INFINITY;
    const { code, lines } = await runCli([...args, ...how, '--output', 'new.jsonl'], place);
    expect(code).toBe(0);
    const rows = readRows(join(place.folder, 'new.jsonl'));
    const told = rows.map(({ messages }) => messages[1]!.content).sort();
    expect(new Set(answered).size).toBe(answered.length);
    const problems = lines.filter(line => line.type === 'problem');
    expect(problems).toMatchObject([{ code: 'unreadable', line: 1, file: join(documents, 'c.txt') }]);
    const lost = factsOf(answered.find(question => factsOf(question)[0] === 'txt0')!);
    const all = ['md', 'html', 'txt', 'pdf'].flatMap(names).filter(name => !lost.includes(name));
    expect(told).toEqual(all.map(fact).sort());
    expect(new Set(rows.map(({ source }) => source.file))).toEqual(
      new Set(['documents/a.md', 'documents/b.html', 'documents/c.txt', 'documents/d.pdf']),
    );
    expect(rows.find(({ source }) => source.file === 'documents/d.pdf')!.source).toMatchObject({ page: 1 });
    const result = lines.at(-1)!;
    expect(result).toMatchObject({ type: 'result', resumed: 6, counts: { unreadable: 1, kept: all.length } });
    expect(existsSync(partial)).toBe(false);

    const again = await runCli([...args, ...how, '--output', 'new.jsonl'], place);
    expect(again.code).toBe(2);
    expect(again.lines.at(-1)).toMatchObject({ type: 'error', code: 'usage' });
  });

  it('makes synonyms offline, trains on the new file, and holds out rows of people alone', async () => {
    const place = makePlace();
    const animals = ['badger', 'heron', 'otter', 'lizard', 'marten', 'plover', 'rabbit', 'salmon'];
    const rows = animals.map(name => ({
      question: `Where does the big ${name} live now?`,
      answer: `By the ${name} stone.`,
    }));
    writeFileSync(join(place.folder, 'rows.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
    writeFileSync(join(place.folder, 'words.txt'), 'big: enormous\nlive: dwell\n');
    const recipe = 'synonyms:share=0.3:thesaurus=words.txt';
    const wrong = ['augment', 'rows.jsonl', '--recipe', recipe, '--output', 'wrong.jsonl', '--encoding', 'utf-16le'];
    expect((await runCli([...wrong, '--json'], place)).code).not.toBe(0);
    const made = await runCli(
      ['augment', 'rows.jsonl', '--recipe', recipe, '--output', 'new.jsonl', '--eval-ratio', '0.25', '--json'],
      place,
    );
    expect(made.errorText).toBe('');
    expect(made.lines.at(-1)).toMatchObject({ type: 'result', teacher: null, counts: { kept: 6 } });
    const written = readRows(join(place.folder, 'new.jsonl'));
    expect(written.at(-1)!.messages[0]!.content).toMatch(/the enormous \w+ dwell now/);
    const settings = ['maxSteps=1', 'evalRatio=0.25', 'maxSyntheticShare=0.4', 'contextTokens=64', 'samplePrompts=[]'];
    const trained = await runCli(
      ['train', 'new.jsonl', '--model', 'tiny', '--json', ...settings.flatMap(set => ['--set', set])],
      place,
    );
    expect(trained.code).toBe(0);
    const { path } = trained.lines.find(line => line.type === 'result') as unknown as { path: string };
    const record = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')) as {
      datasets: { snapshot: string }[];
      forecast: { trainRows: number; heldOutRows: number };
    };
    expect(record.forecast).toMatchObject({ trainRows: 10, heldOutRows: 2 });
    const snapshot = join(place.folder, '.tuning-fork', 'datasets', record.datasets[0]!.snapshot);
    const { rows: sides } = JSON.parse(readFileSync(join(snapshot, 'split.json'), 'utf8')) as { rows: string[] };
    expect(sides.slice(8)).toEqual(['train', 'train', 'train', 'train']);
  });
});
