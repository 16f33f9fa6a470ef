/** Whether a teacher is worth it: the same student on rows with mistakes alone, on the teacher's answers, and on its logits. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../support/bigramEngine.ts';
import { makePlace, type Place, runCli } from '../support/programs.ts';
import { writeTinyModel } from '../support/tinyModel.ts';

const seeds = [1, 2, 3];
const common = ['method=full', 'contextTokens=48', 'batchRows=8', 'threads=1', 'learningRate=0.01', 'evalRatio=0'];
const setAll = (settings: readonly string[]) => settings.flatMap(setting => ['--set', setting]);

/** Questions with answers that follow a rule; `mistakes` of them are wrong. */
function writeRows(path: string, { from, rows, mistakes }: { from: number; rows: number; mistakes: number }): void {
  const random = seededRandom(11 + from);
  const letter = (index: number) => String.fromCharCode(97 + (index % 26));
  const lines = Array.from({ length: rows }, (_, i) => {
    const isWrong = random() < mistakes;
    const said = isWrong ? letter(Math.floor(random() * 26)) : letter(from + i);
    return JSON.stringify({ question: `say ${letter(from + i)} ${from + i}`, answer: said.repeat(4) });
  });
  writeFileSync(path, `${lines.join('\n')}\n`);
}

async function train(place: Place, dataset: string, model: string, settings: readonly string[], more: string[] = []) {
  const args = ['train', dataset, '--model', model, '--runs', 'store', '--json', '--override', 'memory', ...more];
  const { code, lines, errorText } = await runCli([...args, ...setAll([...common, ...settings])], place);
  expect(code, errorText).toBe(0);
  return (lines.at(-1) as unknown as { output: string }).output;
}

/** Held-out losses of models, on right answers that nobody trained on. */
async function measure(place: Place, model: string): Promise<number> {
  const { lines } = await runCli(['eval', 'right.jsonl', '--model', model, '--context', '48', '--json'], place);
  return (lines.at(-1) as unknown as { results: { evalLossNats: number }[] }).results[0]!.evalLossNats;
}

describe('a student with a teacher', () => {
  it('ends with a lower held-out loss than on the rows alone, by its answers and by its logits, for every seed', async () => {
    const place = makePlace();
    const inFolder = (name: string) => join(place.folder, name);
    writeRows(inFolder('teacher.jsonl'), { from: 1000, rows: 200, mistakes: 0 });
    writeRows(inFolder('rows.jsonl'), { from: 1300, rows: 156, mistakes: 0.4 });
    writeRows(inFolder('right.jsonl'), { from: 1600, rows: 52, mistakes: 0 });
    const untaught = writeTinyModel(inFolder('untaught'), { seed: 7, heads: 2 });
    const teacher = await train(place, 'teacher.jsonl', untaught, ['maxSteps=300']);
    const distill = ['distill', 'rows.jsonl', '--teacher', teacher, '--out', 'answers.jsonl', '--eval-ratio', '0'];
    const { code } = await runCli([...distill, '--max-tokens', '12', '--keep-cut', '--json'], place);
    expect(code).toBe(0);
    const answers = readFileSync(inFolder('answers.jsonl'), 'utf8').trimEnd().split('\n');
    expect(answers.length).toBeGreaterThan(140);
    const losses: Record<string, number>[] = [];
    for (const seed of seeds) {
      const student = writeTinyModel(inFolder(`student${seed}`), { seed, hiddenSize: 32, layers: 1, heads: 2 });
      const settings = [`seed=${seed}`, 'maxSteps=160'];
      const logits = ['objective=distill', 'distillAlpha=0.9', 'distillTopK=32'];
      losses.push({
        rowsAlone: await measure(place, await train(place, 'rows.jsonl', student, settings)),
        answers: await measure(place, await train(place, 'answers.jsonl', student, settings)),
        logits: await measure(
          place,
          await train(place, 'rows.jsonl', student, [...settings, ...logits], ['--teacher', teacher]),
        ),
      });
    }
    const teacherLoss = await measure(place, teacher);
    console.info('held-out losses', { teacherLoss }, losses);
    for (const { rowsAlone, answers, logits } of losses) {
      expect(answers).toBeLessThan(0.5 * rowsAlone!);
      expect(logits).toBeLessThan(0.5 * rowsAlone!);
    }
  });
});
