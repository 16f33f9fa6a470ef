import { describe, expect, it } from 'vitest';
import type { Example } from '../../../../../src/core/data/example.ts';
import { scaleToLength1, type Vectors } from '../../../../../src/core/infer/embed/vectors.ts';
import { findTopics, TopicSampler } from '../../../../../src/core/jobs/topics/findTopics.ts';
import { createGenerator } from '../../../../../src/core/text/seededOrder.ts';

const themes = {
  heart: 'heart artery blood pressure valve cardiac pulse',
  skin: 'skin rash itching cream blister eczema',
  bone: 'bone fracture cast joint hip plaster',
  eye: 'eye vision lens retina glasses cornea',
};
const words = Object.values(themes).map(list => list.split(' '));
const allWords = words.flat();
/** Words of no theme, each with a direction of its own. */
const strange = ['teeth', 'what', 'number', 'about'];

/** Rows of each theme: 60, 50, 40 and 4. */
function makeRows(): Example[] {
  const next = createGenerator([3]);
  const rows: Example[] = [];
  for (const [theme, count] of [60, 50, 40, 4].entries()) {
    for (let i = 0; i < count; i++) {
      const pick = () => words[theme]![next() % words[theme]!.length]!;
      const content = `What is the ${pick()} of the ${pick()} number ${i}?`;
      const answer = `It is the ${pick()} and the ${pick()} with the ${pick()}.`;
      rows.push({
        kind: 'chat',
        messages: [
          { role: 'user', content },
          { role: 'assistant', content: answer },
        ],
        origin: { file: 'rows.jsonl', line: rows.length + 1 },
      });
    }
  }
  return rows;
}

/** Words of a theme point one way, each word a little its own; all texts share a direction, as a model's states do. */
async function embed(texts: readonly string[]): Promise<Vectors> {
  const strangeFrom = 1 + words.length + allWords.length;
  const size = strangeFrom + strange.length;
  const values = new Float32Array(texts.length * size);
  for (const [row, text] of texts.entries()) {
    const own = values.subarray(row * size, (row + 1) * size);
    own[0] = 8;
    for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
      if (strange.includes(word)) own[strangeFrom + strange.indexOf(word)]! += 1;
      const known = allWords.includes(word) ? word : word.replace(/s$/, '');
      const at = allWords.indexOf(known);
      if (at < 0) continue;
      own[1 + words.findIndex(list => list.includes(known))]! += 1;
      own[1 + words.length + at]! += 0.3;
    }
    scaleToLength1(own);
  }
  return { count: texts.length, size, values };
}

function sampleRows(rows: readonly Example[], required: readonly string[] = [], limit = 1000) {
  const sampler = new TopicSampler(limit, required, 42);
  for (const row of rows) sampler.add(row);
  return sampler.finish();
}

const find = (rows: readonly Example[], required: readonly string[] = []) =>
  findTopics(sampleRows(rows, required), { required, seed: 42, embed });

describe('findTopics', () => {
  it('finds as many topics as there are, with their sizes, words and central rows', async () => {
    const report = await find(makeRows());
    expect(report.topics.map(({ rows }) => rows)).toEqual([60, 50, 40, 4]);
    expect(report.topics.map(({ isThin }) => isThin)).toEqual([false, false, false, true]);
    for (const [theme, topic] of report.topics.entries()) {
      expect(topic.words.slice(0, 4).every(word => words[theme]!.includes(word))).toBe(true);
      expect(topic.examples[0]!.text).toMatch(new RegExp(words[theme]!.join('|')));
    }
    const best = report.silhouettes.reduce((a, b) => (b.value > a.value ? b : a));
    expect(best.topics).toBe(4);
  });

  it('gives the same report for the same rows', async () => {
    expect(await find(makeRows())).toEqual(await find(makeRows()));
  });

  it('tells required topics that are covered, thin and missing', async () => {
    const { required, topics } = await find(makeRows(), ['artery', 'corneas', 'teeth']);
    expect(required.map(({ name, state }) => [name, state])).toEqual([
      ['artery', 'covered'],
      ['corneas', 'thin'],
      ['teeth', 'missing'],
    ]);
    expect(topics[required[0]!.nearestTopic!]!.words).toContain('heart');
    expect(required[2]).toMatchObject({ mentions: 0, nearRows: 0 });
  });

  it('finds a required topic in rows that name it otherwise', async () => {
    const rows = makeRows().filter(row => !JSON.stringify(row).includes('pulse'));
    const { required } = await find(rows, ['pulse']);
    expect(required[0]).toMatchObject({ mentions: 0, state: 'covered' });
  });

  it('takes the number of topics that is asked for', async () => {
    const report = await findTopics(sampleRows(makeRows()), { required: [], topics: 2, seed: 42, embed });
    expect(report.topics).toHaveLength(2);
  });

  it('makes do with one row, or none', async () => {
    expect((await find(makeRows().slice(0, 1))).topics).toMatchObject([{ rows: 1, isThin: false }]);
    expect((await find([])).topics).toEqual([]);
  });
});

describe('TopicSampler', () => {
  it('keeps a sample of all rows in their order and counts mentions in all of them', () => {
    const rows = makeRows();
    const { examples, allRows, mentions } = sampleRows(rows, ['heart attack', 'heart', 'vision'], 20);
    const lines = examples.map(({ origin }) => origin.line);
    expect(allRows).toBe(rows.length);
    expect(lines).toHaveLength(20);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
    expect(lines.at(-1)).toBeGreaterThan(80);
    const withHeart = rows.filter(row => JSON.stringify(row).includes('heart')).length;
    expect(mentions).toEqual([0, withHeart, mentions[2]]);
    expect(mentions[2]).toBeGreaterThan(0);
  });
});
