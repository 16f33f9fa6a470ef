/** Each option of LoRA beside PEFT's: gradients, 20 losses, and the adapter that PEFT reads back. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAdapter } from '../../src/core/adapter/readAdapter.ts';
import { openSafetensors } from '../../src/core/formats/safetensors.ts';
import { makeAdapterInputs } from '../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../src/core/infer/decodingSession.ts';
import { loadResidentModel } from '../../src/core/infer/residentModel.ts';
import { singularName } from '../../src/core/models/loraNames.ts';
import { openModel } from '../../src/core/models/openModel.ts';
import type { Hyperparameters } from '../../src/shared/hyperparameters.ts';
import { requirePython } from '../support/externals.ts';
import { makeTemporaryFolder } from '../support/temporaryFolder.ts';
import { makeTinyRun, runJob } from '../support/tinyRun.ts';
import { type EngineRun, writeBundle } from './engineRun.ts';

const script = resolve(import.meta.dirname, 'reference.py');
/** Relative differences that float32 arithmetic in another order explains. */
const tolerance = { firstLoss: 1e-5, gradient: 1e-4, losses: 1e-3, logits: 1e-5 } as const;
const layered = { memoryLimitBytes: 1, baseWeights: 'float32' } as const;

const cases: readonly {
  readonly name: string;
  readonly settings: Partial<Hyperparameters>;
  readonly tiedEmbeddings?: boolean;
}[] = [
  {
    name: 'dropout and LoRA+',
    settings: { dropout: 0.2, loraPlusRatio: 4, gradientAccumulation: 2, weightDecay: 0.1 },
  },
  { name: 'rank-stabilised LoRA in the upper layer', settings: { rsLora: true, layersToTransform: ['1'] } },
  {
    name: 'embedding, head and norms trained whole',
    settings: { modulesToSave: ['embed_tokens', 'lm_head', 'norm'], learningRate: 2e-3 },
    tiedEmbeddings: false,
  },
  {
    name: 'AdaLoRA',
    settings: { adaLora: true, rank: 6, adaTargetRank: 2, adaInitialSteps: 3, adaFinalSteps: 5, adaIntervalSteps: 2 },
  },
  { name: 'DoRA', settings: { dora: true } },
  { name: 'DoRA and dropout, layer by layer', settings: { dora: true, dropout: 0.2, ...layered } },
];

describe.each(cases)('LoRA with $name', ({ name, settings, tiedEmbeddings = true }) => {
  const { path: folder, remove } = makeTemporaryFolder();
  const measured: Record<string, number> = {};
  let ours: EngineRun;
  let reference: {
    losses: number[];
    tunedHeldOutLoss: number;
    adapterHeldOutLoss: number;
    rankPattern?: Record<string, boolean[]>;
  };

  beforeAll(async () => {
    const run = makeTinyRun(folder, {
      model: { heads: 2, tiedEmbeddings },
      settings: {
        baseWeights: 'float32',
        rank: 4,
        alpha: 8,
        maxSteps: 20,
        evalEverySteps: 20,
        earlyStoppingPatience: 0,
        ...settings,
      },
      request: { overrides: ['memory'] },
    });
    await runJob(run);
    const bundle = join(folder, 'bundle');
    ours = await writeBundle({ run, bundle, tinyFolder: folder, promptCount: 3, maxNewTokens: 1 });
    const python = spawnSync(requirePython(), [script, bundle], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    if (python.status !== 0) throw new Error(`reference.py: exit ${python.status}\n${python.stderr.slice(-3000)}`);
    reference = JSON.parse(readFileSync(join(bundle, 'reference.json'), 'utf8')) as typeof reference;
  });
  afterAll(() => {
    console.log(name, measured);
    remove();
  });

  it('has the losses of 20 steps and every gradient of the first', () => {
    const differences = ours.series.steps.map(({ lossNats }, i) => relative(lossNats, reference.losses[i]!));
    expect(differences.length).toBe(20);
    measured.firstLoss = differences[0]!;
    measured.losses = Math.max(...differences);
    const { tensors } = openSafetensors(join(ours.bundle, 'reference.safetensors'));
    const expected = new Map([...ours.gradients.keys()].map(key => [key, tensors.readFloat32(`gradient.${key}`)]));
    const largest = Math.max(...[...expected.values()].map(norm));
    // A has no gradient at all while B is zero: what hardly moves is held to the scale of the others.
    const errors = [...expected].map(([key, values]) => {
      return distance(ours.gradients.get(key)!, values) / Math.max(norm(values), 1e-3 * largest);
    });
    tensors.close();
    measured.gradient = Math.max(...errors);
    expect(measured.firstLoss).toBeLessThan(tolerance.firstLoss);
    expect(measured.losses).toBeLessThan(tolerance.losses);
    expect(measured.gradient).toBeLessThan(tolerance.gradient);
  });

  it('writes an adapter that has the same loss and logits in PEFT', async () => {
    const measuredLoss = ours.series.evaluations.at(-1)!.evalLossNats;
    measured.tunedHeldOut = relative(measuredLoss, reference.tunedHeldOutLoss);
    measured.adapterHeldOut = relative(measuredLoss, reference.adapterHeldOutLoss);
    expect(measured.tunedHeldOut).toBeLessThan(tolerance.losses);
    expect(measured.adapterHeldOut).toBeLessThan(tolerance.logits);

    const adapter = readAdapter(join(ours.bundle, 'adapter'));
    for (const [key, kept] of Object.entries(reference.rankPattern ?? {})) {
      const rank = adapter.pairs.find(({ module }) => singularName(module).endsWith(key))?.rank ?? 0;
      expect(rank, key).toBe(kept.filter(Boolean).length);
    }

    const opened = await openModel(join(folder, 'model'), { tinyFolder: folder });
    const session = await DecodingSession.create(await loadResidentModel(opened));
    const inputs = makeAdapterInputs(session.resident.model, adapter, session.resident);
    const { tensors } = openSafetensors(join(ours.bundle, 'reference.safetensors'));
    measured.logits = 0;
    for (const [number, prompt] of ours.prompts.entries()) {
      const { logits } = await session.extend(prompt, session.emptyCache(), inputs);
      const expected = tensors.readFloat32(`adapter.${number}`);
      measured.logits = Math.max(measured.logits, distance(logits, expected) / norm(expected));
      expect(distance(expected, tensors.readFloat32(`logits.${number}`)) / norm(expected)).toBeGreaterThan(1e-2);
    }
    expect(ours.prompts.length).toBe(3);
    expect(measured.logits).toBeLessThan(tolerance.logits);
    tensors.close();
    opened.close();
    await session.release();
  });
});

const relative = (actual: number, expected: number): number => Math.abs(actual - expected) / Math.abs(expected);

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function distance(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
}
