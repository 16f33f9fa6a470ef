/** Distillation beside a short PyTorch loop: the same student, teacher, rows, start values and order. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFloats } from '../../src/core/formats/encodeFloats.ts';
import { openSafetensors } from '../../src/core/formats/safetensors.ts';
import { writeSafetensors } from '../../src/core/formats/writeSafetensors.ts';
import { prepareRun } from '../../src/core/jobs/prepare/prepareRun.ts';
import { addTeacher } from '../../src/core/jobs/teacher/teacherPass.ts';
import { createRunEngine } from '../../src/core/jobs/train/createRunEngine.ts';
import type { PackedBatch, TeacherTokens } from '../../src/core/text/packedBatch.ts';
import { runNames, type StepRow } from '../../src/shared/runFolder.ts';
import { parseMetrics } from '../../src/shared/runState.ts';
import { requirePython } from '../support/externals.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

const root = resolve(import.meta.dirname, '../..');
const script = join(root, 'test/parity/distillationReference.py');
const common = [
  'objective=distill',
  'maxSteps=20',
  'evalRatio=0',
  'contextTokens=48',
  'batchRows=4',
  'packing=false',
  'schedule=constant',
  'warmupRatio=0',
  'clipNorm=0',
  'distillTopK=12',
  'baseWeights=float32',
];
const cases = [
  { name: 'every weight', settings: ['method=full', 'learningRate=1e-3', 'distillAlpha=0.6', 'distillTemperature=2'] },
  {
    name: 'LoRA, layer by layer, the teacher alone',
    settings: ['rank=4', 'learningRate=1e-2', 'distillAlpha=1', 'memoryLimitBytes=1'],
  },
];

/** Relative differences that float32 arithmetic in another order explains. */
const tolerance = { teacher: 1e-5, firstLoss: 1e-5, gradient: 1e-5, losses: 1e-4 } as const;

interface Reference extends Record<'losses' | 'crossEntropyNats' | 'divergenceNats', number[]> {
  teacherIds: number[];
  teacherLogProbabilities: number[];
}

describe.each(cases)('distillation of $name', ({ name, settings }) => {
  const folder = mkdtempSync(join(tmpdir(), 'parity-distillation-'));
  const measured: Record<string, number> = {};
  let steps: StepRow[];
  let ours: { said: TeacherTokens; gradients: ReadonlyMap<string, Float32Array> };
  let reference: Reference;

  beforeAll(async () => {
    const student = writeTinyModel(join(folder, 'student'));
    const teacher = writeTinyModel(join(folder, 'teacher'), { seed: 9, hiddenSize: 48, layers: 3 });
    const run = train(folder, [student, teacher], [...common, ...settings]);
    steps = parseMetrics(readFileSync(join(run, runNames.metrics), 'utf8')).steps;
    ours = await writeBundle(run, folder, { model: student, teacher });
    const python = spawnSync(requirePython(), [script, folder], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    if (python.status !== 0) throw new Error(`${script}: exit ${python.status}\n${python.stderr.slice(-3000)}`);
    reference = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')) as Reference;
  });
  afterAll(() => {
    console.log(`distillation of ${name}`, measured);
    rmSync(folder, { recursive: true, force: true });
  });

  it("has the teacher's likeliest tokens and their log-probabilities", () => {
    expect([...ours.said.ids]).toEqual(reference.teacherIds);
    measured.teacher = largest(ours.said.logProbabilities, reference.teacherLogProbabilities);
    expect(measured.teacher).toBeLessThan(tolerance.teacher);
  });

  it('has the loss of step 1, the losses of 20 steps and their parts', () => {
    expect(steps.length).toBe(20);
    measured.firstLoss = largest([steps[0]!.lossNats], reference.losses.slice(0, 1));
    expect(measured.firstLoss).toBeLessThan(tolerance.firstLoss);
    const series = {
      losses: steps.map(row => row.lossNats),
      crossEntropyNats: steps.map(row => row.crossEntropyNats!),
      divergenceNats: steps.map(row => row.divergenceNats!),
    };
    for (const part of ['losses', 'crossEntropyNats', 'divergenceNats'] as const) {
      measured[part] = largest(series[part], reference[part]);
      expect(measured[part], part).toBeLessThan(tolerance.losses);
    }
    expect(series.divergenceNats.at(-1)).toBeLessThan(0.9 * series.divergenceNats[0]!);
  });

  it('has every gradient of step 1', () => {
    const { tensors } = openSafetensors(join(folder, 'reference.safetensors'));
    const names = tensors.names.map(tensor => tensor.slice('gradient.'.length));
    expect(names.sort()).toEqual([...ours.gradients.keys()].sort());
    const pairs = names.map(key => [ours.gradients.get(key)!, tensors.readFloat32(`gradient.${key}`)] as const);
    tensors.close();
    const scale = Math.max(...pairs.map(([, expected]) => norm(expected)));
    // A tensor that hardly moves is held to the scale of the others: A has no gradient at all while B is zero.
    measured.gradient = Math.max(
      ...pairs.map(([actual, expected]) => distance(actual, expected) / Math.max(norm(expected), 1e-3 * scale)),
    );
    expect(measured.gradient).toBeLessThan(tolerance.gradient);
  });
});

/** The folder of a finished run. */
function train(folder: string, [student, teacher]: readonly [string, string], settings: readonly string[]): string {
  const dataset = writeTinyDataset(join(folder, 'rows.jsonl'), 24);
  const sets = settings.flatMap(setting => ['--set', setting]);
  const parameters = [
    'train',
    dataset,
    '--model',
    student,
    '--teacher',
    teacher,
    '--runs',
    join(folder, 'store'),
    ...sets,
  ];
  const env = { ...process.env, TUNING_FORK_STATE: join(folder, 'state') };
  const command = [join(root, 'dist/cli.js'), ...parameters, '--override', 'memory', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`train: exit ${status}\n${stdout.slice(-1000)}\n${stderr.slice(-2000)}`);
  return (JSON.parse(stdout.trim().split('\n').at(-1)!) as { path: string }).path;
}

/** Writes batches and start values as the reference reads them; gives what the teacher said first, and the first gradients. */
async function writeBundle(run: string, folder: string, models: { model: string; teacher: string }) {
  const control = { ask: () => 'continue' as const };
  const places = { tinyFolder: '', hub: undefined, control };
  const prepared = await prepareRun(run, { ...places, onPhase: () => undefined });
  const pass = addTeacher({ ...places, run }, prepared);
  let next = await pass.next();
  while (next.done !== true) next = await pass.next();
  const { stepBatches, totalSteps } = next.value;
  const engine = await createRunEngine(prepared);
  try {
    const batches = Array.from({ length: totalSteps }, (_, i) => stepBatches(i + 1).batches.map(toJson)).flat();
    const json = { ...models, recipe: prepared.record.hyperparameters, batches };
    writeFileSync(join(folder, 'bundle.json'), JSON.stringify(json));
    const start = engine.parameters.map(({ name, shape, value }) => {
      const copy = value.slice();
      return { name, dtype: 'F32' as const, shape, readPieces: () => [encodeFloats(copy, 'F32')] };
    });
    writeSafetensors(join(folder, 'initial.safetensors'), start);
    const first = stepBatches(1).batches[0]!;
    engine.zeroGradients();
    await engine.accumulate(first, 1 / first.labels.length);
    const gradients = new Map(engine.parameters.map(({ name, gradient }) => [name, gradient.slice()]));
    return { said: first.teacher!, gradients };
  } finally {
    await engine.dispose();
    prepared.model.close();
  }
}

function toJson({ batchRows, contextTokens, tokenIds, segments, targetPositions, labels }: PackedBatch): object {
  const lists = { tokenIds, segments, targetPositions, labels };
  const plain = Object.entries(lists).map(([key, values]) => [key, [...values]] as const);
  return { batchRows, contextTokens, ...Object.fromEntries(plain) };
}

/** The largest relative difference. */
function largest(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value) / Math.abs(value)));
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
}
