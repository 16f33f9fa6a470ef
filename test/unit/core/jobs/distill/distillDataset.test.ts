import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../../../src/core/data/readDataset.ts';
import { splitExamples } from '../../../../../src/core/data/split/splitExamples.ts';
import { type Distillation, distillDataset } from '../../../../../src/core/jobs/distill/distillDataset.ts';
import type { JobWarning } from '../../../../../src/core/jobs/jobEvents.ts';
import type { Teacher, TeacherOutcome } from '../../../../../src/core/teachers/teacher.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { writeTinyDataset } from '../../../../support/tinyModel.ts';

const split = { seed: 1, evalRatio: 0.2, testRatio: 0.1 };

/** Answers in capitals, ends for good after `limit` answers, and remembers what it was asked. */
class ScriptedTeacher implements Teacher {
  readonly asked: string[] = [];
  readonly name = 'scripted';
  isReleased = false;
  private readonly limit: number;
  private readonly outcomeOf: (question: string) => TeacherOutcome;

  constructor(
    limit = Number.POSITIVE_INFINITY,
    outcomeOf = (q: string): TeacherOutcome => ({ kind: 'answer', text: q.toUpperCase() }),
  ) {
    this.limit = limit;
    this.outcomeOf = outcomeOf;
  }

  async answerAll({ conversations, onOutcome }: Parameters<Teacher['answerAll']>[0]): Promise<void> {
    for (const { row, messages } of conversations) {
      if (this.asked.length >= this.limit) throw new Error('the teacher fell asleep');
      const question = messages.at(-1)!.content;
      this.asked.push(question);
      onOutcome(row, this.outcomeOf(question));
    }
  }

  async release(): Promise<void> {
    this.isReleased = true;
  }
}

function prepare(changes: Partial<Distillation> = {}) {
  const folder = temporaryFolder();
  const warnings: JobWarning[] = [];
  const distillation: Distillation = {
    dataset: writeTinyDataset(join(folder, 'rows.jsonl')),
    mapping: null,
    skipBrokenRows: false,
    split,
    settings: { maxTokens: 8, temperature: 0, topP: 1, seed: 42 },
    keepCut: false,
    out: join(folder, 'new', 'answers.jsonl'),
    heldOutFile: join(folder, 'new', 'heldOut.jsonl'),
    onProgress: () => undefined,
    onWarning: warning => warnings.push(warning),
    ...changes,
  };
  return { folder, distillation, warnings, partial: `${distillation.out}.partial.jsonl` };
}

const readRows = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { messages: { content: string }[]; source: { line: number } });

describe('distillDataset', () => {
  it('asks the training rows alone, and marks each answer with its source', async () => {
    const { distillation } = prepare();
    const teacher = new ScriptedTeacher();
    const result = await distillDataset(distillation, async () => teacher);
    const { examples, sha256 } = await readDataset(distillation.dataset);
    const sides = splitExamples(examples, split).rows;
    const lines = sides.flatMap((side, row) => (side === 'train' ? [row + 1] : []));
    expect(result).toMatchObject({ rows: 40, answered: lines.length, keptBack: 40 - lines.length, resumed: 0 });
    expect(lines.length).toBeLessThan(30);
    const rows = readRows(distillation.out);
    expect(rows.map(row => row.source.line)).toEqual(lines);
    expect(rows[0]).toEqual({
      messages: [
        { role: 'user', content: teacher.asked[0] },
        { role: 'assistant', content: teacher.asked[0]!.toUpperCase() },
      ],
      synthetic: true,
      teacher: 'scripted',
      source: { file: '../rows.jsonl', line: lines[0], sha256 },
    });
    expect(teacher.isReleased).toBe(true);
    const again = await readDataset(distillation.out);
    expect(again).toMatchObject({ usableRows: lines.length, brokenRows: 0 });
    const heldOut = readRows(distillation.heldOutFile!);
    expect(heldOut.map(row => row.source.line)).toEqual(sides.flatMap((s, row) => (s === 'heldOut' ? [row + 1] : [])));
    for (const { messages } of heldOut) {
      expect(teacher.asked).not.toContain(messages[0]!.content);
      expect(messages[1]!.content).toMatch(/^(.)\1{3}$/);
    }
  });

  it('goes on after a failure at every place with nothing lost and nothing asked twice, torn lines included', async () => {
    const whole = prepare();
    const straight = new ScriptedTeacher();
    await distillDataset(whole.distillation, async () => straight);
    const { distillation, partial } = prepare();
    const first = new ScriptedTeacher(9);
    await expect(distillDataset(distillation, async () => first)).rejects.toThrow(/asleep/);
    expect(existsSync(distillation.out)).toBe(false);
    const kept = readFileSync(partial, 'utf8');
    writeFileSync(partial, kept.slice(0, -6));
    const second = new ScriptedTeacher(5);
    await expect(distillDataset(distillation, async () => second)).rejects.toThrow(/asleep/);
    const third = new ScriptedTeacher();
    const result = await distillDataset(distillation, async () => third);
    expect(result.resumed).toBe(13);
    // The torn line was lost with its answer; nothing else is asked again.
    expect(first.asked.slice(0, -1).concat(second.asked, third.asked)).toEqual(straight.asked);
    expect(readRows(distillation.out)).toEqual(readRows(whole.distillation.out));
    expect(existsSync(partial)).toBe(false);
  });

  it('refuses to go on with answers to another dataset or of other settings', async () => {
    const { distillation, partial } = prepare();
    await expect(distillDataset(distillation, async () => new ScriptedTeacher(3))).rejects.toThrow(/asleep/);
    const before = readFileSync(partial, 'utf8');
    const other = { ...distillation, settings: { ...distillation.settings, maxTokens: 9 } };
    await expect(distillDataset(other, async () => new ScriptedTeacher())).rejects.toMatchObject({ code: 'usage' });
    writeTinyDataset(distillation.dataset, 41);
    await expect(distillDataset(distillation, async () => new ScriptedTeacher())).rejects.toThrow(/datasetSha256/);
    expect(readFileSync(partial, 'utf8')).toBe(before);
  });

  it('leaves out what was refused or cut, with a warning at its line, unless cut answers are wanted', async () => {
    const outcomeOf = (question: string): TeacherOutcome => {
      if (question.startsWith('say a')) return { kind: 'refused', reason: 'no' };
      return { kind: question.startsWith('say b') ? 'cut' : 'answer', text: 'x' };
    };
    const { distillation, warnings } = prepare({ split: { ...split, evalRatio: 0, testRatio: 0 } });
    const result = await distillDataset(distillation, async () => new ScriptedTeacher(99, outcomeOf));
    expect(result).toMatchObject({ answered: 36, refused: 2, cut: 2, keptBack: 0 });
    expect(warnings.map(({ line, code }) => [line, code])).toEqual([
      [1, 'teacher-refused'],
      [2, 'teacher-cut'],
      [27, 'teacher-refused'],
      [28, 'teacher-cut'],
    ]);
    const keeping = prepare({ split: { ...split, evalRatio: 0, testRatio: 0 }, keepCut: true });
    const kept = await distillDataset(keeping.distillation, async () => new ScriptedTeacher(99, outcomeOf));
    expect(kept.answered).toBe(38);
    const refusing = prepare();
    const refuse = (): TeacherOutcome => ({ kind: 'refused', reason: 'no' });
    await expect(
      distillDataset(refusing.distillation, async () => new ScriptedTeacher(99, refuse)),
    ).rejects.toMatchObject({ code: 'dataset-empty' });
    expect(existsSync(refusing.distillation.out)).toBe(false);
  });

  it('overwrites nothing, and refuses data that asks nothing', async () => {
    const { distillation, folder } = prepare();
    const open = async () => new ScriptedTeacher();
    const onto = { ...distillation, out: distillation.dataset };
    await expect(distillDataset(onto, open)).rejects.toThrow(/the dataset itself/);
    const text = join(folder, 'text.jsonl');
    writeFileSync(text, '{"text": "one line"}\n{"text": "two lines"}\n');
    await expect(distillDataset({ ...distillation, dataset: text }, open)).rejects.toMatchObject({
      code: 'dataset-empty',
      hint: expect.stringMatching(/Running text/),
    });
  });
});
