/** Preference tuning beside TRL's DPOTrainer: the same model, pairs, start values and order. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFloats } from '../../src/core/formats/encodeFloats.ts';
import { openSafetensors } from '../../src/core/formats/safetensors.ts';
import { writeSafetensors } from '../../src/core/formats/writeSafetensors.ts';
import { prepareRun } from '../../src/core/jobs/prepare/prepareRun.ts';
import { addReference } from '../../src/core/jobs/teacher/referencePass.ts';
import { createRunEngine } from '../../src/core/jobs/train/createRunEngine.ts';
import { AdamW } from '../../src/core/optim/adamW.ts';
import type { EncodedRow, PackedBatch } from '../../src/core/text/packedBatch.ts';
import { runStep } from '../../src/core/train/runStep.ts';
import { runNames, type StepRow } from '../../src/shared/runFolder.ts';
import { parseMetrics } from '../../src/shared/runState.ts';
import { requirePython } from '../support/externals.ts';

const root = resolve(import.meta.dirname, '../..');
const small = join(root, 'test/fixtures/models/folder');
const settings = [
  'objective=dpo',
  'maxSteps=20',
  'evalRatio=0',
  'contextTokens=64',
  'batchRows=2',
  'gradientAccumulation=2',
  'packing=false',
  'rank=4',
  'targetModules=q_proj,v_proj,down_proj',
  'learningRate=1e-2',
  'schedule=constant',
  'warmupRatio=0',
  'clipNorm=0',
  'dpoBeta=0.2',
  'baseWeights=float32',
  'seed=7',
];

/** Relative differences that float32 arithmetic in another order explains. */
const tolerance = { firstLoss: 1e-4, gradient: 1e-4, losses: 1e-3, rewards: 1e-3 } as const;

type Series = Record<'losses' | 'rewardChosen' | 'rewardRejected' | 'rewardAccuracy' | 'rewardMargin', number[]>;

describe('a small Llama, preference tuning with accumulation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parity-dpo-'));
  const measured: Record<string, number> = {};
  let steps: StepRow[];
  let gradients: ReadonlyMap<string, Float32Array>;
  let reference: Series & { versions: Record<string, string> };

  beforeAll(async () => {
    const run = train(folder);
    steps = parseMetrics(readFileSync(join(run, runNames.metrics), 'utf8')).steps;
    gradients = await writeBundle(run, folder);
    const script = join(root, 'test/parity/preferenceReference.py');
    const python = spawnSync(requirePython(), [script, folder], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    if (python.status !== 0) throw new Error(`${script}: exit ${python.status}\n${python.stderr.slice(-3000)}`);
    reference = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')) as typeof reference;
  });
  afterAll(() => {
    console.log('preference tuning', reference?.versions, measured);
    rmSync(folder, { recursive: true, force: true });
  });

  it("has TRL's losses of 20 steps, the first of them log 2", () => {
    const losses = steps.map(row => row.lossNats);
    expect(losses.length).toBe(20);
    expect(losses[0]).toBeCloseTo(Math.log(2), 6);
    const differences = losses.map((loss, i) => Math.abs(loss - reference.losses[i]!) / reference.losses[i]!);
    measured.firstLoss = differences[0]!;
    measured.losses = Math.max(...differences);
    expect(losses.at(-1)).toBeLessThan(0.75 * losses[0]!);
    expect(measured.firstLoss).toBeLessThan(tolerance.firstLoss);
    expect(measured.losses).toBeLessThan(tolerance.losses);
  });

  it("has TRL's rewards, accuracies and margins", () => {
    for (const name of ['rewardChosen', 'rewardRejected', 'rewardMargin', 'rewardAccuracy'] as const) {
      const scale = Math.max(...reference[name].map(Math.abs));
      const differences = steps.map((row, i) => Math.abs(row[name]! - reference[name][i]!) / scale);
      measured[name] = Math.max(...differences);
      expect(measured[name], name).toBeLessThan(tolerance.rewards);
    }
  });

  it('has every gradient of the first two steps', () => {
    const { tensors } = openSafetensors(join(folder, 'reference.safetensors'));
    const names = tensors.names.map(name => name.slice('gradient.'.length));
    expect(names.sort()).toEqual([...gradients.keys()].sort());
    for (const step of ['0', '1']) {
      const own = names.filter(name => name.startsWith(`${step}.`));
      const pairs = own.map(name => [gradients.get(name)!, tensors.readFloat32(`gradient.${name}`)] as const);
      const largest = Math.max(...pairs.map(([, expected]) => norm(expected)));
      // A tensor that hardly moves is held to the scale of the others: A has no gradient at all while B is zero.
      const worst = Math.max(
        ...pairs.map(([actual, expected]) => distance(actual, expected) / Math.max(norm(expected), 1e-6 * largest)),
      );
      measured[`gradient${step}`] = worst;
      expect(worst, `step ${step}`).toBeLessThan(tolerance.gradient);
    }
    tensors.close();
  });
});

/** The folder of a finished run over pairs whose answers have many lengths. */
function train(folder: string): string {
  const rows = Array.from({ length: 24 }, (_, i) => ({
    prompt: `Question ${i} of ${i % 5}?`,
    chosen: `Yes, ${'indeed '.repeat(1 + (i % 3))}${i}.`,
    rejected: i % 2 === 0 ? 'No.' : `Not at all, ${i} times no.`,
  }));
  writeFileSync(join(folder, 'prefs.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  const sets = settings.flatMap(setting => ['--set', setting]);
  const parameters = ['train', join(folder, 'prefs.jsonl'), '--model', small, '--runs', join(folder, 'store'), ...sets];
  const env = { ...process.env, TUNING_FORK_STATE: join(folder, 'state') };
  const command = [join(root, 'dist/cli.js'), ...parameters, '--override', 'memory', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`train: exit ${status}\n${stdout.slice(-1000)}\n${stderr.slice(-2000)}`);
  return (JSON.parse(stdout.trim().split('\n').at(-1)!) as { path: string }).path;
}

/** Writes pairs and start values as the reference reads them, and gives the engine's gradients of the first two steps. */
async function writeBundle(run: string, bundle: string): Promise<Map<string, Float32Array>> {
  const control = { ask: () => 'continue' as const, takeCheckpointRequest: () => false };
  const prepared = await prepareRun(run, { tinyFolder: '', hub: undefined, control, onPhase: () => undefined });
  const engine = await createRunEngine(prepared);
  try {
    const { hyperparameters } = prepared.record;
    const { totalSteps, stepBatches } = prepared.batches;
    const pairs = Array.from({ length: totalSteps }, (_, i) => stepBatches(i + 1).batches.flatMap(listPairs)).flat();
    mkdirSync(bundle, { recursive: true });
    const json = { model: small, recipe: hyperparameters, pairs };
    writeFileSync(join(bundle, 'bundle.json'), JSON.stringify(json));
    const start = engine.parameters.map(({ name, shape, value }) => {
      const copy = value.slice();
      return { name, dtype: 'F32' as const, shape, readPieces: () => [encodeFloats(copy, 'F32')] };
    });
    writeSafetensors(join(bundle, 'initial.safetensors'), start);
    const pass = addReference(run, prepared, engine, control);
    let next = await pass.next();
    while (next.done !== true) next = await pass.next();
    const batches = next.value;
    const { beta1, beta2, weightDecay, learningRate } = hyperparameters;
    const optimizer = new AdamW(engine.parameters, { beta1, beta2, weightDecay, epsilon: 1e-8 });
    const gradients = new Map<string, Float32Array>();
    const clues = { method: 'lora', learningRate, clipNorm: 0, previousGradNorm: null } as const;
    for (const step of [1, 2]) {
      const input = { step, batches: batches.stepBatches(step).batches, learningRate, clipNorm: 0, clues };
      await runStep(engine, optimizer, input);
      for (const { name, gradient } of engine.parameters) gradients.set(`${step - 1}.${name}`, gradient.slice());
    }
    return gradients;
  } finally {
    await engine.dispose();
    prepared.model.close();
  }
}

function listPairs({ rows }: PackedBatch): object[] {
  const pairs = rows!.length / 2;
  return rows!.slice(0, pairs).map((chosen, pair) => {
    const first = chosen.supervised.indexOf(1);
    const answer = ({ tokenIds, supervised }: EncodedRow) => [...tokenIds.slice(first, supervised.lastIndexOf(1) + 1)];
    return {
      prompt: [...chosen.tokenIds.slice(0, first)],
      chosen: answer(chosen),
      rejected: answer(rows![pairs + pair]!),
    };
  });
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
}
