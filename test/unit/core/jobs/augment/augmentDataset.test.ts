import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../../../../src/core/data/documents/chunkDocument.ts';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { splitMarked } from '../../../../../src/core/data/split/splitMarked.ts';
import { readChoice } from '../../../../../src/core/jobs/augment/augmentationReport.ts';
import { type Augmentation, augmentDataset } from '../../../../../src/core/jobs/augment/augmentDataset.ts';
import { parseAugmentation } from '../../../../../src/core/jobs/augment/parseAugmentation.ts';
import type { Teacher, TeacherOutcome } from '../../../../../src/core/teachers/teacher.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

const topics = ['tides', 'ropes', 'lights', 'whales', 'anchors', 'charts', 'engines', 'storms', 'sails', 'nets'];
const times = [
  'in thick winter fog',
  'before the ferry comes',
  'after a long dry summer',
  'while nobody else is awake',
];
const rows = Array.from({ length: 40 }, (_, i) => ({
  question: `What should a keeper know about ${topics[i % 10]} on watch ${times[Math.floor(i / 10)]}?`,
  answer: `Everything about ${topics[i % 10]}, rule ${i}.`,
}));

/** Answers by a function of the last message, and counts what it was asked. */
class FakeTeacher implements Teacher {
  readonly name = 'fake';
  readonly asked: string[] = [];
  constructor(private readonly reply: (text: string, task: string) => TeacherOutcome | string) {}

  async answerAll({ conversations, onOutcome, signal }: Parameters<Teacher['answerAll']>[0]): Promise<void> {
    for (const { row, messages } of conversations) {
      signal?.throwIfAborted();
      const asked = messages.at(-1)!.content;
      this.asked.push(asked);
      const [task = '', text = ''] = asked.split('\n\n---\n');
      const outcome = this.reply(text.slice(0, -4), task);
      onOutcome(row, typeof outcome === 'string' ? { kind: 'answer', text: outcome } : outcome);
    }
  }

  async release(): Promise<void> {
    this.asked.push('released');
  }
}

const reversed = (text: string): string => text.split(' ').reverse().join(' ');

function plan(
  recipe: string,
  changes: Partial<Omit<Augmentation, 'choice'>> & { choice?: Partial<Augmentation['choice']> } = {},
) {
  const folder = temporaryFolder();
  const dataset = join(folder, 'rows.jsonl');
  writeFileSync(dataset, rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  const { choice, ...other } = changes;
  const augmentation: Augmentation = {
    dataset,
    documents: [],
    mapping: null,
    skipBrokenRows: false,
    choice: {
      recipe: parseAugmentation(recipe),
      rows: null,
      maxSyntheticShare: 0.5,
      similarity: 0.9,
      seed: 1,
      split: { seed: 42, evalRatio: 0.2, testRatio: 0.1 },
      decoding: { maxTokens: 64, temperature: 0, topP: 1, seed: 1 },
      ...choice,
    },
    tokenizer: { name: 'estimate', countTokens: estimateTokens },
    out: join(folder, 'new.jsonl'),
    onlyNew: false,
    isPreview: false,
    onProgress: () => undefined,
    onProblem: () => undefined,
    ...other,
  };
  return { folder, augmentation };
}

const readOut = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);

describe('augmentDataset', () => {
  it('puts new rows beside the old ones, each marked and with its source, none from what is held out', async () => {
    const { augmentation } = plan('paraphrase');
    const before = readFileSync(augmentation.dataset!);
    const teacher = new FakeTeacher(text => reversed(text));
    const result = await augmentDataset(augmentation, async () => teacher);
    expect(readFileSync(augmentation.dataset!)).toEqual(before);
    const written = readOut(augmentation.out);
    const dataset = await readDataset(augmentation.dataset!);
    const { rows: sides, counts } = splitMarked(dataset.examples, augmentation.choice.split);
    expect(result.counts).toMatchObject({ tasks: counts.train, kept: counts.train });
    expect(result.syntheticShare).toBe(0.5);
    expect(written).toHaveLength(40 + counts.train);
    const made = written.slice(40);
    for (const row of made) {
      const { line, ...source } = row.source as { line: number };
      expect(row.synthetic).toBe(true);
      expect(sides[line - 1]).toBe('train');
      expect(source).toMatchObject({ file: 'rows.jsonl', method: 'paraphrase', teacher: 'fake' });
      expect(row.messages).toEqual([
        { role: 'user', content: reversed(rows[line - 1]!.question) },
        { role: 'assistant', content: rows[line - 1]!.answer },
      ]);
    }
    const again = await readDataset(augmentation.out);
    const { rows: newSides } = splitMarked(again.examples, augmentation.choice.split);
    expect(newSides.slice(0, 40)).toEqual(sides);
    expect(newSides.slice(40).every(side => side === 'train')).toBe(true);
  });

  it('drops and counts copies of held-out rows, duplicates, near duplicates, and what came back unchanged', async () => {
    const { augmentation } = plan('paraphrase', { choice: { maxSyntheticShare: 1 } });
    const { examples } = await readDataset(augmentation.dataset!);
    const { rows: sides } = splitMarked(examples, augmentation.choice.split);
    const train = rows.filter((_, i) => sides[i] === 'train');
    const heldOut = rows.find((_, i) => sides[i] === 'heldOut')!;
    const replies = new Map([
      [train[0]!.question, train[0]!.question],
      [train[1]!.question, `${heldOut.question.toUpperCase()}`],
      [train[2]!.question, `${heldOut.question} please`],
      [train[3]!.question, train[4]!.question.replace('?', ' ?!')],
      [train[5]!.question, 'an entirely new question about something else that nobody asked until this very day'],
      [train[6]!.question, 'an entirely new question about something else that nobody asked until this very day!'],
      [train[7]!.question, 'an entirely new question about something else that nobody asked until this very da'],
    ]);
    const teacher = new FakeTeacher(text => replies.get(text) ?? reversed(text));
    const { counts } = await augmentDataset(augmentation, async () => teacher);
    expect(counts).toMatchObject({
      unchanged: 1,
      heldOutCopies: 2,
      duplicates: 2,
      nearDuplicates: 1,
      kept: train.length - 6,
    });
  });

  it('asks no more than the wanted rows need, keeps to the share, and says what was left alone', async () => {
    const { augmentation } = plan('paraphrase:perRow=3', { choice: { maxSyntheticShare: 0.2 } });
    const teacher = new FakeTeacher((text, task) => `${reversed(text)} ${task.length}`);
    const { counts, syntheticShare } = await augmentDataset(augmentation, async () => teacher);
    expect(counts.kept).toBe(7);
    expect(syntheticShare).toBeCloseTo(0.2);
    expect(teacher.asked.length - 1 + counts.notNeeded).toBe(counts.tasks);
    expect(counts.notNeeded).toBeGreaterThan(70);
  });

  it('translates there and back, and says what came of answers that were cut, refused or in no form', async () => {
    const { augmentation } = plan('backTranslation:language=French');
    const problems: string[] = [];
    const teacher = new FakeTeacher((text, task) => {
      if (task.includes('into French')) {
        if (text.includes('ropes')) return { kind: 'refused', reason: 'no ropes' };
        if (text.includes('nets')) return { kind: 'cut', text: 'half' };
        return `FR ${text}`;
      }
      expect(task).toContain('What should a keeper');
      return text.includes('tides') ? '""' : `back ${reversed(text.replace('FR ', ''))}`;
    });
    const { counts } = await augmentDataset(
      { ...augmentation, onProblem: ({ message }) => problems.push(message) },
      async () => teacher,
    );
    expect(counts.refused).toBeGreaterThan(0);
    expect(counts.cut).toBeGreaterThan(0);
    expect(counts.unreadable).toBeGreaterThan(0);
    expect(problems).toHaveLength(counts.refused + counts.cut + counts.unreadable);
    expect(problems.every(message => /rows\.jsonl:\d+: backTranslation: /.test(message))).toBe(true);
    expect(counts.tasks).toBe(problems.length + counts.kept);
  });

  it('lets the teacher make a thesaurus once, which stands beside the new file and makes the same rows without a teacher', async () => {
    const { folder, augmentation } = plan('synonyms:share=0.3');
    const teacher = new FakeTeacher(text =>
      text
        .split('\n')
        .map(word => (word === 'keeper' ? 'keeper: warden, guardian' : word === 'watch' ? 'watch: duty' : 'nothing'))
        .join('\n'),
    );
    const { counts } = await augmentDataset(augmentation, async () => teacher);
    expect(counts.kept).toBeGreaterThan(20);
    expect(teacher.asked).toHaveLength(2);
    const made = `${augmentation.out}.thesaurus.txt`;
    expect(readFileSync(made, 'utf8')).toBe('keeper: warden, guardian\nwatch: duty\n');
    const again = { ...augmentation, out: join(folder, 'again.jsonl') };
    const recipe = parseAugmentation(`synonyms:share=0.3:thesaurus=${made}`);
    await augmentDataset({ ...again, choice: { ...augmentation.choice, recipe } }, undefined);
    const texts = (path: string) => readOut(path).map(({ messages }) => messages);
    expect(texts(again.out)).toEqual(texts(augmentation.out));
  });

  it('writes questions with answers from documents, each with file and lines, into a file that is a dataset', async () => {
    const { folder, augmentation } = plan('questions:chunkTokens=32:overlapTokens=0', { dataset: null });
    const document = join(folder, 'harbour.md');
    writeFileSync(
      document,
      `# Harbour\n\n${Array.from({ length: 6 }, (_, i) => `Fact ${i} of the harbour is that its wall is long.`).join('\n\n')}\n`,
    );
    const teacher = new FakeTeacher(text => {
      const facts = [...text.matchAll(/Fact (\d)/g)].map(([, n]) => n);
      return JSON.stringify(facts.map(n => ({ question: `Number ${n}${n}${n}: which wall?`, answer: `Wall ${n}.` })));
    });
    const result = await augmentDataset({ ...augmentation, documents: [document] }, async () => teacher);
    const written = readOut(augmentation.out);
    expect(result.counts.kept).toBe(6);
    expect(written[0]).toMatchObject({ synthetic: true, source: { file: 'harbour.md', line: 1, method: 'questions' } });
    expect((written.at(-1)!.source as { lastLine: number }).lastLine).toBe(13);
    const { usableRows, brokenRows } = await readDataset(augmentation.out);
    expect([usableRows, brokenRows]).toEqual([6, 0]);
  });

  it('goes on after a failure and after a preview without asking anything twice, and its report makes it again', async () => {
    const { folder, augmentation } = plan('paraphrase');
    const preview = new FakeTeacher(reversed);
    const choice = { ...augmentation.choice, rows: 3 };
    const shown = await augmentDataset({ ...augmentation, choice, isPreview: true }, async () => preview);
    expect(shown.shown).toHaveLength(3);
    expect(preview.asked).toHaveLength(4);
    expect(readdirSync(folder).sort()).toEqual(['new.jsonl.partial.jsonl', 'rows.jsonl']);
    const failing = new FakeTeacher(text => {
      if (failing.asked.length > 5) throw new Error('gone');
      return reversed(text);
    });
    await expect(augmentDataset(augmentation, async () => failing)).rejects.toThrow('gone');
    const last = new FakeTeacher(reversed);
    const { counts, resumed } = await augmentDataset(augmentation, async () => last);
    expect(resumed).toBe(8);
    const all = [preview, failing, last].flatMap(({ asked }) => asked.filter(text => text !== 'released'));
    expect(all).toHaveLength(counts.tasks + 1);
    expect(new Set(all).size).toBe(counts.tasks);
    expect(existsSync(`${augmentation.out}.partial.jsonl`)).toBe(false);
    const report = `${augmentation.out}.report.json`;
    const chosen = readChoice(report, readFileSync(report, 'utf8'));
    const again = {
      ...augmentation,
      out: join(folder, 'again.jsonl'),
      choice: { ...augmentation.choice, ...chosen } as Augmentation['choice'],
    };
    await augmentDataset(again, async () => new FakeTeacher(reversed));
    expect(readFileSync(again.out, 'utf8')).toBe(readFileSync(augmentation.out, 'utf8'));
  });

  it('reads the dataset in the encoding that is named, and counts the rows that cannot be read in result and report', async () => {
    const { augmentation } = plan('paraphrase');
    const [first, ...others] = rows.map(row => JSON.stringify(row));
    // Detected, these bytes are Chinese.
    const named = first!.replace('keeper', 'ÄãºÃÄãºÃ');
    writeFileSync(augmentation.dataset!, Buffer.from([named, ...others, '{"question": '].join('\n'), 'latin1'));
    const order = { ...augmentation, encoding: 'windows-1252', onlyNew: false } as const;
    await expect(augmentDataset(order, async () => new FakeTeacher(reversed))).rejects.toThrow(/rows\.jsonl:41/);
    const { brokenRows } = await augmentDataset(
      { ...order, skipBrokenRows: true },
      async () => new FakeTeacher(reversed),
    );
    expect(brokenRows).toBe(1);
    expect(readFileSync(augmentation.out, 'utf8')).toContain('a ÄãºÃÄãºÃ know');
    const { dataset } = JSON.parse(readFileSync(`${augmentation.out}.report.json`, 'utf8'));
    expect(dataset).toMatchObject({ rows: 40, brokenRows: 1, encoding: 'Windows-1252' });
  });

  it('refuses another recipe over kept answers, a file that stands there, and what it lacks, and writes nothing', async () => {
    const { folder, augmentation } = plan('paraphrase');
    await augmentDataset({ ...augmentation, isPreview: true }, async () => new FakeTeacher(reversed));
    const other = { ...augmentation, choice: { ...augmentation.choice, recipe: parseAugmentation('backTranslation') } };
    await expect(augmentDataset(other, async () => new FakeTeacher(reversed))).rejects.toThrow('another recipe');
    await expect(augmentDataset({ ...augmentation, out: augmentation.dataset! }, undefined)).rejects.toThrow(
      'a source',
    );
    await expect(augmentDataset(augmentation, undefined)).rejects.toThrow('expected a teacher');
    const { augmentation: asking } = plan('questions');
    await expect(augmentDataset(asking, undefined)).rejects.toThrow('expected documents');
    expect(existsSync(join(folder, 'new.jsonl'))).toBe(false);
  });
});

describe('parseAugmentation', () => {
  it('names the method and the setting that are wrong', () => {
    expect(() => parseAugmentation('rephrase')).toThrow('expected some of synonyms');
    expect(() => parseAugmentation('paraphrase:perRow=0')).toThrow('perRow');
    expect(() => parseAugmentation(' ')).toThrow('got nothing');
    expect(parseAugmentation('synonyms:thesaurus=7').methods[0]).toMatchObject({ thesaurus: '7' });
  });
});
