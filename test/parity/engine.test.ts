/** The engine's numbers beside those of PyTorch + PEFT on the same recipe, weights, rows and order. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/core/formats/safetensors.ts';
import { DecodingSession } from '../../src/core/infer/decodingSession.ts';
import { loadResidentModel } from '../../src/core/infer/residentModel.ts';
import { openModel } from '../../src/core/models/openModel.ts';
import type { RunRecord } from '../../src/shared/recipe.ts';
import { runNames } from '../../src/shared/runFolder.ts';
import { parseMetrics } from '../../src/shared/runState.ts';
import { requirePython, requireRealModel } from '../support/externals.ts';
import { type EngineRun, writeBundle } from './engineRun.ts';

const root = resolve(import.meta.dirname, '../..');
const sample = join(root, 'media/sample/harbour-museum.jsonl');
const tinyFolder = join(root, 'media/tiny');
const smallFolder = join(root, 'test/fixtures/models/folder');

/** Relative differences that float32 arithmetic in another order explains. */
const tolerance = { logits: 1e-4, firstLoss: 1e-4, gradient: 1e-4, losses: 1e-3, heldOut: 1e-4 } as const;

interface Reference {
  greedy: number[][];
  losses: number[];
  baseHeldOutLoss: number;
  tunedHeldOutLoss: number;
  adapterHeldOutLoss?: number;
  versions: Record<string, string>;
}

interface Case {
  readonly name: string;
  /** Folder of test/unit/core/train/goldens that keeps the reference's answers for machines without Python. */
  readonly golden?: string;
  readonly model: () => string;
  readonly settings: readonly string[];
  readonly prompts: number;
}

const common = ['maxSteps=20', 'evalEverySteps=20', 'earlyStoppingPatience=0', 'seed=7', 'baseWeights=float32'];
const cases: readonly Case[] = [
  {
    name: 'SmolLM2-135M from GGUF, LoRA on all linear layers',
    model: requireRealModel,
    settings: [...common, 'contextTokens=128', 'batchRows=4', 'rank=16', 'learningRate=1e-3'],
    prompts: 20,
  },
  {
    name: 'a small Llama, LoRA on two layers with accumulation',
    golden: 'lora',
    model: () => smallFolder,
    settings: [
      ...common,
      'contextTokens=64',
      'batchRows=2',
      'gradientAccumulation=2',
      'rank=4',
      'targetModules=q_proj,v_proj',
      'learningRate=1e-2',
    ],
    prompts: 0,
  },
  {
    name: 'a small Llama, full method',
    golden: 'full',
    model: () => smallFolder,
    settings: [
      ...common,
      'contextTokens=64',
      'batchRows=2',
      'method=full',
      'learningRate=1e-3',
      'weightDecay=0.1',
      'schedule=linear',
    ],
    prompts: 0,
  },
  {
    name: 'a small Llama, full method, layer by layer',
    model: () => smallFolder,
    settings: [...common, 'contextTokens=64', 'batchRows=2', 'method=full', 'learningRate=1e-3', 'memoryLimitBytes=1'],
    prompts: 0,
  },
];

describe.each(cases)('$name', ({ name, golden, model, settings, prompts }) => {
  const folder = mkdtempSync(join(tmpdir(), 'parity-'));
  let ours: EngineRun;
  let reference: Reference;
  const measured: Record<string, number> = {};

  beforeAll(async () => {
    const run = train(model(), settings, folder);
    ours = await writeBundle({
      run,
      bundle: join(folder, 'bundle'),
      tinyFolder,
      promptCount: prompts,
      maxNewTokens: 32,
    });
    const python = spawnSync(requirePython(), [join(root, 'test/parity/reference.py'), ours.bundle], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (python.status !== 0) throw new Error(`reference.py: exit ${python.status}\n${python.stderr.slice(-3000)}`);
    reference = JSON.parse(readFileSync(join(ours.bundle, 'reference.json'), 'utf8')) as Reference;
    if (golden !== undefined && process.env.WRITE_GOLDENS) writeGolden(golden, ours.bundle);
  });
  afterAll(() => {
    console.log(name, reference?.versions, measured);
    rmSync(folder, { recursive: true, force: true });
  });

  it('has the loss of step 1 and the losses of 20 steps', () => {
    const losses = ours.series.steps.map(row => row.lossNats);
    expect(losses.length).toBe(20);
    const differences = losses.map((loss, i) => relative(loss, reference.losses[i]!));
    measured.firstLoss = differences[0]!;
    measured.losses = Math.max(...differences);
    expect(measured.firstLoss).toBeLessThan(tolerance.firstLoss);
    expect(measured.losses).toBeLessThan(tolerance.losses);
  });

  it('has every gradient of step 1', () => {
    const tensors = openSafetensors(join(ours.bundle, 'reference.safetensors')).tensors;
    const names = tensors.names.filter(tensor => tensor.startsWith('gradient.'));
    expect(names.map(tensor => tensor.slice('gradient.'.length)).sort()).toEqual([...ours.gradients.keys()].sort());
    const largest = Math.max(...names.map(tensor => norm(tensors.readFloat32(tensor))));
    let worst = 0;
    for (const tensor of names) {
      const expected = tensors.readFloat32(tensor);
      const actual = ours.gradients.get(tensor.slice('gradient.'.length))!;
      // A tensor that hardly moves is held to the scale of the others: A has no gradient at all while B is zero.
      worst = Math.max(worst, distance(actual, expected) / Math.max(norm(expected), 1e-6 * largest));
    }
    tensors.close();
    measured.gradient = worst;
    expect(worst).toBeLessThan(tolerance.gradient);
  });

  it('has the held-out loss of the base and of what it wrote', () => {
    const [base, tuned] = [ours.series.evaluations[0]!, ours.series.evaluations.at(-1)!];
    expect([base.step, tuned.step]).toEqual([0, 20]);
    measured.baseHeldOut = relative(base.evalLossNats, reference.baseHeldOutLoss);
    measured.tunedHeldOut = relative(tuned.evalLossNats, reference.tunedHeldOutLoss);
    expect(measured.baseHeldOut).toBeLessThan(tolerance.heldOut);
    expect(measured.tunedHeldOut).toBeLessThan(tolerance.losses);
    if (reference.adapterHeldOutLoss === undefined) return;
    measured.adapterHeldOut = relative(tuned.evalLossNats, reference.adapterHeldOutLoss);
    expect(measured.adapterHeldOut).toBeLessThan(tolerance.heldOut);
  });

  it.runIf(prompts > 0)('trains on the 4-bit blocks of the file as on the same weights in floats', () => {
    const inBlocks = settings.map(setting => (setting === 'baseWeights=float32' ? 'baseWeights=4bit' : setting));
    const run = train(model(), inBlocks, join(folder, 'blocks'));
    const record = JSON.parse(readFileSync(join(run, runNames.run), 'utf8')) as RunRecord;
    expect(record.forecast.baseWeights).toBe('4bit');
    const series = parseMetrics(readFileSync(join(run, runNames.metrics), 'utf8'));
    const floats = ours.series.steps.map(row => row.lossNats);
    const blocks = series.steps.map(row => row.lossNats);
    measured.blocks = Math.max(...blocks.map((loss, i) => relative(loss, floats[i]!)));
    expect(blocks.length).toBe(20);
    expect(measured.blocks).toBeLessThan(tolerance.losses);
    // Otherwise floats would have been trained twice.
    expect(blocks).not.toEqual(floats);
  });

  it.runIf(prompts > 0)("has the base's logits and transformers' greedy tokens", async () => {
    const opened = await openModel(model(), { tinyFolder });
    const session = await DecodingSession.create(await loadResidentModel(opened, { weights: 'float' }));
    const tensors = openSafetensors(join(ours.bundle, 'reference.safetensors')).tensors;
    const ends = session.resident.tokenizer.eosTokenIds;
    measured.logits = 0;
    for (const [number, prompt] of ours.prompts.entries()) {
      let step = await session.extend(prompt, session.emptyCache(), session.baseInputs);
      const expected = tensors.readFloat32(`logits.${number}`);
      measured.logits = Math.max(measured.logits, distance(step.logits, expected) / norm(expected));
      const tokens: number[] = [];
      for (;;) {
        tokens.push(argMax(step.logits));
        if (tokens.length === 32 || ends.includes(tokens.at(-1)!)) break;
        step = await session.extend([tokens.at(-1)!], step.cache, session.baseInputs);
      }
      expect(tokens).toEqual(reference.greedy[number]);
    }
    expect(ours.prompts.length).toBe(prompts);
    expect(measured.logits).toBeLessThan(tolerance.logits);
    tensors.close();
    await session.release();
    opened.close();
  });
});

/** The folder of a finished run. */
function train(model: string, settings: readonly string[], store: string): string {
  const sets = settings.flatMap(setting => ['--set', setting]);
  const parameters = ['train', sample, '--model', model, '--runs', store, ...sets, '--override', 'memory', '--json'];
  // A state folder of its own: no other training on this machine is waited for.
  const env = { ...process.env, TUNING_FORK_STATE: join(store, 'state') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...parameters], {
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`train: exit ${status}\n${stdout.slice(-1000)}\n${stderr.slice(-2000)}`);
  return (JSON.parse(stdout.trim().split('\n').at(-1)!) as { path: string }).path;
}

const relative = (actual: number, expected: number): number => Math.abs(actual - expected) / Math.abs(expected);

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function distance(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
}

function argMax(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

/** `WRITE_GOLDENS=1 npm test -- parity` makes the goldens anew; the versions that made them stand in reference.json. */
function writeGolden(golden: string, bundle: string): void {
  const folder = join(root, 'test/unit/core/train/goldens', golden);
  mkdirSync(folder, { recursive: true });
  for (const file of ['initial.safetensors', 'reference.safetensors', 'reference.json']) {
    copyFileSync(join(bundle, file), join(folder, file));
  }
  const json = JSON.parse(readFileSync(join(bundle, 'bundle.json'), 'utf8')) as Record<string, unknown>;
  const { recipe, steps, heldOut } = json;
  writeFileSync(join(folder, 'bundle.json'), `${JSON.stringify({ recipe, steps, heldOut })}\n`);
}
