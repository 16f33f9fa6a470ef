import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type RunRequest, runRecordSchema } from '../../src/shared/recipe.ts';
import { parseMetrics } from '../../src/shared/runState.ts';
import { acceptedRun, makePlace, type Place, runCli, startTrainer } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';
import { tinyRequest } from '../support/tinyRequest.ts';

const preload = fileURLToPath(new URL('../support/faultPreload.mjs', import.meta.url));
const setAll = (settings: readonly string[]) => settings.flatMap(setting => ['--set', setting]);
const common = ['contextTokens=48', 'batchRows=4', 'threads=1', 'earlyStoppingPatience=0'];

const readAdapter = (run: string) => readFileSync(join(run, 'adapter', 'adapter_model.safetensors'));
const readMetrics = (run: string) => parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));

/** A model that was trained on the tiny dataset, every weight of it. */
async function trainTeacher(place: Place): Promise<string> {
  const model = writeTinyModel(join(place.folder, 'untaught'));
  const settings = [...common, 'method=full', 'learningRate=0.01', 'maxSteps=40', 'evalEverySteps=40'];
  const args = ['train', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', '--override', 'memory'];
  const { code, lines } = await runCli([...args, ...setAll(settings)], place);
  expect(code).toBe(0);
  return (lines.at(-1) as unknown as { output: string }).output;
}

describe('tuning-fork train --teacher', () => {
  it('brings a smaller student with random weights nearer to a teacher that was trained before', async () => {
    const place = makePlace();
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const teacher = await trainTeacher(place);
    const student = writeTinyModel(join(place.folder, 'student'), { seed: 5, hiddenSize: 16, layers: 1 });
    const settings = [
      ...common,
      'objective=distill',
      'method=full',
      'learningRate=0.01',
      'maxSteps=60',
      'evalEverySteps=30',
    ];
    const more = ['distillAlpha=1', 'distillTopK=16', 'distillTemperature=2'];
    const args = ['train', 'rows.jsonl', '--model', student, '--teacher', teacher, '--runs', 'store', '--json'];
    const { code, lines, errorText } = await runCli(
      [...args, '--override', 'memory', ...setAll([...settings, ...more])],
      place,
    );
    expect(code).toBe(0);
    expect(errorText).toMatch(/from the teacher \d/);
    const { path } = lines[0] as unknown as { path: string };
    const { steps, evaluations } = readMetrics(path);
    expect(evaluations.map(row => row.step)).toEqual([0, 30, 60]);
    const divergences = evaluations.map(row => row.divergenceNats!);
    expect(divergences[1]).toBeLessThan(0.7 * divergences[0]!);
    expect(divergences[2]).toBeLessThan(divergences[1]!);
    for (const row of [...steps, ...evaluations]) {
      const lossNats = 'lossNats' in row ? row.lossNats : row.evalLossNats;
      expect(lossNats).toBeCloseTo(4 * row.divergenceNats!, 5);
    }
    const record = runRecordSchema.parse(JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')));
    expect(record).toMatchObject({ objective: 'distill', teacher: { path: teacher, modelType: 'llama' } });
    expect(lines.some(line => line.type === 'progress' && line.phase === 'asking the teacher')).toBe(true);
  });

  it('goes on after SIGKILL to the same bytes, in the midst of asking the teacher and after it', async () => {
    const place = makePlace();
    const request: RunRequest = {
      ...tinyRequest(place.folder, {
        objective: 'distill',
        distillTopK: 8,
        maxSteps: 8,
        saveEverySteps: 2,
        evalEverySteps: 4,
      }),
      teacher: writeTinyModel(join(place.folder, 'teacher'), { seed: 9, layers: 1 }),
    };
    const start = (env: NodeJS.ProcessEnv) =>
      startTrainer({ type: 'start', store: place.store, request, attached: false }, place, { preload, env });
    const straight = start({});
    const expected = await acceptedRun(straight);
    expect((await straight.ended).code).toBe(0);
    const cacheOf = (run: string) => join(run, 'cache', 'teacher.bin');
    for (const fault of [
      { FAULT_PATH: 'teacher.bin', FAULT_AT: '7' },
      { FAULT_PATH: 'step-000006', FAULT_AT: '3' },
    ]) {
      const killed = start(fault);
      const path = await acceptedRun(killed);
      expect((await killed.ended).signal).toBe('SIGKILL');
      const before = statSync(cacheOf(path));
      const isCut = before.size < statSync(cacheOf(expected)).size;
      expect(isCut).toBe(fault.FAULT_PATH === 'teacher.bin');
      const resumed = await runCli(['resume', path, '--json'], place);
      expect(resumed.code).toBe(0);
      const asked = resumed.lines.some(line => line.type === 'progress' && line.phase === 'asking the teacher');
      expect(asked).toBe(isCut);
      expect(readFileSync(cacheOf(path))).toEqual(readFileSync(cacheOf(expected)));
      expect(readAdapter(path)).toEqual(readAdapter(expected));
      const losses = (run: string) => readMetrics(run).steps.map(row => [row.step, row.lossNats, row.divergenceNats]);
      expect(losses(path)).toEqual(losses(expected));
      rmSync(path, { recursive: true });
    }
  });

  it('refuses a teacher with other tokens, none, and one that nothing is learned from', async () => {
    const place = makePlace();
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const student = writeTinyModel(join(place.folder, 'student'));
    const other = writeTinyModel(join(place.folder, 'other'));
    const tokenizer = JSON.parse(readFileSync(join(other, 'tokenizer.json'), 'utf8')) as {
      model: { vocab: Record<string, number> };
    };
    const { vocab } = tokenizer.model;
    [vocab.a, vocab.b] = [vocab.b!, vocab.a!];
    writeFileSync(join(other, 'tokenizer.json'), JSON.stringify(tokenizer));
    const args = ['train', 'rows.jsonl', '--model', student, '--runs', 'store', '--json', '--override', 'memory'];
    const refuse = async (more: readonly string[], code: string, message: RegExp) => {
      const { code: exit, lines } = await runCli([...args, ...setAll(common), ...more], place);
      expect(exit).toBe(code === 'usage' ? 2 : 1);
      const error = lines.at(-1) as unknown as { message: string };
      expect(error).toMatchObject({ type: 'error', code, hint: expect.stringMatching(/./) });
      expect(error.message).toMatch(message);
    };
    const distill = ['--set', 'objective=distill'];
    await refuse(
      [...distill, '--teacher', other],
      'model-unsupported',
      /expected the vocabulary of .*\(token 97 as "a"\), got "b"/,
    );
    await refuse(distill, 'usage', /teacher: expected a model to learn from/);
    await refuse(['--teacher', student], 'usage', /teacher: expected none for the objective sft/);
    await refuse([...distill, '--teacher', join(place.folder, 'nowhere')], 'model-not-found', /nowhere/);
    expect(existsSync(join(place.store, 'datasets')) ? readdirSync(join(place.store, 'datasets')) : []).toEqual([]);
  });
});
