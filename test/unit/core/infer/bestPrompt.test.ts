import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnsweredQuestion } from '../../../../src/core/infer/answeredQuestion.ts';
import { exampleCounts, searchBestPrompt, writePrompt } from '../../../../src/core/infer/bestPrompt.ts';
import { chooseExamples } from '../../../../src/core/infer/chooseExamples.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { describeTask } from '../../../../src/core/infer/describeTask.ts';
import { makeTemporaryFolder } from '../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyChatModel } from '../../../support/tinyChatModel.ts';

function ask(line: number, question: string, reference: string, system?: string): AnsweredQuestion {
  const asked = { role: 'user', content: question } as const;
  const messages = system === undefined ? [asked] : [{ role: 'system', content: system } as const, asked];
  return { origin: { file: 'data.jsonl', line }, messages, reference };
}

const training = Array.from({ length: 24 }, (_, i) => ask(i + 1, `dog ${i}?`, `fox ${i}`));

describe('searchBestPrompt', () => {
  let session: DecodingSession;
  const folder = makeTemporaryFolder();
  beforeAll(async () => {
    session = await DecodingSession.create(await loadTinyChatModel(writeTinyChatModel(join(folder.path, 'model'))), {
      threads: 1,
    });
  });
  afterAll(async () => {
    await session.release();
    folder.remove();
  });

  it('tries every number of examples and takes the best, the fewest of equals', async () => {
    const progress: number[][] = [];
    const best = await searchBestPrompt({
      session,
      training,
      keptAside: 4,
      seed: 1,
      onProgress: (done, total) => progress.push([done, total]),
    });
    expect(best.scores.map(({ k }) => k)).toEqual([...exampleCounts]);
    const top = Math.max(...best.scores.map(({ tokenF1 }) => tokenF1));
    expect(best.chosenK).toBe(best.scores.find(({ tokenF1 }) => tokenF1 === top)!.k);
    expect(best.examples).toHaveLength(best.chosenK);
    expect(progress.at(-1)).toEqual([16, 16]);
  });

  it('is the same for the same rows and seed', async () => {
    const search = { session, training, keptAside: 3, seed: 5 };
    expect(await searchBestPrompt(search)).toEqual(await searchBestPrompt(search));
  });

  it('never shows a question that it is judged on', async () => {
    const repeated = [
      ...training,
      ...training.map(row => ({ ...row, origin: { ...row.origin, line: row.origin.line + 24 } })),
    ];
    const shown = new Set<string>();
    const judged = new Set<string>();
    const watching = watchPrompts(session, (examples, question) => {
      for (const example of examples) shown.add(example);
      judged.add(question);
    });
    await searchBestPrompt({ session: watching, training: repeated, keptAside: 6, seed: 2 });
    expect(judged.size).toBeGreaterThan(0);
    expect(shown.size).toBeGreaterThan(0);
    expect([...shown].filter(question => judged.has(question))).toEqual([]);
  });

  it('leaves out numbers of examples that the context does not hold', async () => {
    const long = Array.from({ length: 24 }, (_, i) => ask(i + 1, `${'dog '.repeat(20)}${i}?`, 'fox '.repeat(8)));
    const best = await searchBestPrompt({ session, training: long, keptAside: 2, seed: 1 });
    expect(best.scores.map(({ k }) => k)).toEqual([0, 2, 4]);
  });

  it('ends with an AbortError when cancelled', async () => {
    const controller = new AbortController();
    const searching = searchBestPrompt({
      session,
      training,
      keptAside: 4,
      seed: 1,
      signal: controller.signal,
      onProgress: done => {
        if (done > 0) controller.abort();
      },
    });
    await expect(searching).rejects.toThrow('aborted');
  });

  it('writes a prompt with as many examples as fit', () => {
    const long = Array.from({ length: 24 }, (_, i) => ask(i + 1, `${'dog '.repeat(20)}${i}?`, 'fox '.repeat(8)));
    const prompt = writePrompt({ session, training: long, seed: 1 }, 8, long.slice(0, 2), 16);
    expect(prompt.examples.length).toBeGreaterThan(0);
    expect(prompt.examples.length).toBeLessThan(8);
    expect(writePrompt({ session, training, seed: 1 }, 3, training.slice(0, 2), 16).examples).toHaveLength(3);
  });
});

/** The session, telling what questions stand in each prompt that the tokenizer encodes. */
function watchPrompts(
  session: DecodingSession,
  onPrompt: (examples: string[], question: string) => void,
): DecodingSession {
  const { resident } = session;
  const template = {
    ...resident.template,
    renderPrompt: (messages: Parameters<typeof resident.template.renderPrompt>[0]) => {
      const questions = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
      onPrompt(questions.slice(0, -1), questions.at(-1)!);
      return resident.template.renderPrompt(messages);
    },
  };
  return Object.create(session, { resident: { value: { ...resident, template } } });
}

describe('chooseExamples', () => {
  const groups = [
    ...Array.from({ length: 8 }, (_, i) =>
      ask(i + 1, `how old is the tower number ${i}`, `the tower is ${i} years old`),
    ),
    ...Array.from({ length: 6 }, (_, i) => ask(i + 20, `which fish swims in lake ${i}`, `a trout swims there ${i}`)),
    ...Array.from({ length: 4 }, (_, i) => ask(i + 40, `name colour ${i}`, `blue ${i}`)),
  ];

  it('takes one row of each kind before a second of any', () => {
    const lines = chooseExamples(groups, 3, 1).map(({ origin }) => Math.floor(origin.line / 20));
    expect([...lines].sort()).toEqual([0, 1, 2]);
  });

  it('begins with the same rows whether few or many are asked for', () => {
    const many = chooseExamples(groups, 8, 1);
    expect(chooseExamples(groups, 2, 1)).toEqual(many.slice(0, 2));
  });

  it('leaves out conversations of several turns and very long rows', () => {
    const long = ask(90, 'name colour', 'blue '.repeat(500));
    const talk: AnsweredQuestion = {
      origin: { file: 'data.jsonl', line: 91 },
      messages: [
        { role: 'user', content: 'hello' },
        { role: 'assistant', content: 'hello' },
        { role: 'user', content: 'name colour' },
      ],
      reference: 'blue',
    };
    const lines = chooseExamples([...groups, long, talk], 30, 1).map(({ origin }) => origin.line);
    expect(lines).not.toContain(90);
    expect(lines).not.toContain(91);
  });
});

describe('describeTask', () => {
  it('is the system text that most rows have', () => {
    const rows = [ask(1, 'a', 'b', 'Be kind.'), ask(2, 'a', 'b', 'Be kind.'), ask(3, 'a', 'b', 'Be brief.')];
    expect(describeTask(rows)).toBe('Be kind.');
  });

  it('describes the length of the answers where rows have none', () => {
    expect(describeTask([ask(1, 'a', 'two words')])).toContain('a few words');
    expect(describeTask([ask(1, 'a', 'word '.repeat(18))])).toContain('about 18 words');
    expect(describeTask([ask(1, 'a', 'word '.repeat(118))])).toContain('about 120 words');
  });

  it('asks for JSON where the answers are JSON', () => {
    expect(describeTask([ask(1, 'a', '{"colour": "blue"}'), ask(2, 'b', '[1, 2]')])).toContain('JSON');
  });
});
