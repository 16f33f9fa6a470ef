/** Every method of the PyTorch engine beside the embedded engine's, and its output read back by it. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { requirePython } from '../support/externals.ts';
import type { Place } from '../support/programs.ts';
import { evaluate, largestDifference, makePytorchPlace, type Settings, train } from './pytorchRuns.ts';

const twoLayers = { targetModules: 'q_proj,v_proj', rank: 4, alpha: 8 };

/** Settings that both engines follow exactly, and the largest difference of their losses. */
const methods: readonly { readonly name: string; readonly settings: Settings; readonly limit: number }[] = [
  { name: 'full fine-tuning', settings: { method: 'full', learningRate: 0.002, weightDecay: 0.1 }, limit: 1e-4 },
  { name: 'DoRA', settings: { ...twoLayers, dora: true }, limit: 1e-4 },
  {
    name: 'rank-stabilised LoRA in one block',
    settings: { ...twoLayers, rsLora: true, layersToTransform: '1' },
    limit: 1e-4,
  },
  {
    name: 'AdaLoRA',
    settings: { ...twoLayers, adaLora: true, adaTargetRank: 2, adaInitialSteps: 1, adaFinalSteps: 2 },
    limit: 1e-4,
  },
  {
    name: 'LoRA without packing',
    settings: { ...twoLayers, packing: false, batchRows: 3, modulesToSave: 'norm' },
    limit: 1e-4,
  },
];

describe('the PyTorch engine', () => {
  it.each(methods)('trains by $name as the embedded engine does', async ({ settings, limit }) => {
    const [place, other] = [makePytorchPlace(), makePytorchPlace()];
    const [pytorch, embedded] = await Promise.all([
      train(place, settings),
      train(other, { ...settings, engine: 'embedded' }),
    ]);
    expect(largestDifference(pytorch.losses, embedded.losses)).toBeLessThan(limit);
    const best = pytorch.series.evaluations.find(({ step }) => step === pytorch.result.bestStep)!;
    expect(await evaluate(place, pytorch.result.path)).toBeCloseTo(best.evalLossNats, 4);
  });

  it('stops early and keeps the best step where the learning rate is much too high', async () => {
    const place = makePytorchPlace();
    const settings = { ...twoLayers, learningRate: 0.1, maxSteps: 30, evalEverySteps: 1, earlyStoppingPatience: 1 };
    const { result, series } = await train(place, settings);
    const { bestStep, steps } = result;
    expect(result).toMatchObject({ stoppedEarly: true, steps: bestStep! + 1 });
    expect(steps).toBeLessThan(30);
    const lossAt = (step: number) => series.evaluations.find(row => row.step === step)!.evalLossNats;
    expect(lossAt(steps)).toBeGreaterThan(lossAt(bestStep!) + 0.01);
    expect(await evaluate(place, result.path)).toBeCloseTo(lossAt(bestStep!), 4);
  });

  it('prefers the answers that the embedded engine prefers (DPO)', async () => {
    const settings = {
      ...twoLayers,
      objective: 'dpo',
      rpoAlpha: 0.1,
      dpoLabelSmoothing: 0.05,
      gradientAccumulation: 2,
    };
    const places = [makePytorchPlace(), makePytorchPlace()];
    for (const { folder } of places) writePreferences(join(folder, 'pairs.jsonl'));
    const [pytorch, embedded] = await Promise.all([
      train(places[0]!, settings, 'pairs.jsonl'),
      train(places[1]!, { ...settings, engine: 'embedded' }, 'pairs.jsonl'),
    ]);
    expect(largestDifference(pytorch.losses, embedded.losses)).toBeLessThan(1e-4);
    for (const name of ['rewardChosen', 'rewardRejected', 'rewardAccuracy', 'rewardMargin'] as const) {
      const of = (run: typeof pytorch) => run.series.steps.map(row => row[name]!);
      expect(largestDifference(of(pytorch), of(embedded)), name).toBeLessThan(1e-4);
    }
  });

  it('goes on from an adapter, and trains on top of two, as the embedded engine does', async () => {
    const place = makePytorchPlace();
    const [first, second] = await Promise.all([
      train(place, { ...twoLayers, engine: 'embedded' }),
      train(makePytorchPlace(), { ...twoLayers, engine: 'embedded', targetModules: 'v_proj,o_proj', rank: 2, seed: 7 }),
    ]);
    const [a, b] = [first.result.path, second.result.path];
    const base = first.series.evaluations[0]!.evalLossNats;
    // An adapter that goes on being trained decides what is trained.
    const ways: readonly (readonly [Settings, readonly string[]])[] = [
      [{}, ['--adapter', a]],
      [twoLayers, ['--stack', a, '--stack', b]],
    ];
    for (const [settings, more] of ways) {
      const learn = (engine: string) => train(place, { ...settings, seed: 3, engine }, undefined, undefined, more);
      const [pytorch, embedded] = [await learn('pytorch'), await learn('embedded')];
      expect(largestDifference(pytorch.losses, embedded.losses), more[0]).toBeLessThan(1e-4);
      // Before the first step it is what the adapters have learned already.
      expect(pytorch.series.evaluations[0]!.evalLossNats, more[0]).toBeLessThan(base - 0.01);
    }
  });

  it('trains beside weights of 4 and of 8 bit, in bfloat16, and with checkpointed gradients', async () => {
    const place = makePytorchPlace();
    const dequantizing = dequantize(place, ['4bit', '8bit']);
    const plain = await train(place, twoLayers);
    await dequantizing;
    const [fourBit, eightBit] = await Promise.all([
      train(makePytorchPlace(), { ...twoLayers, baseWeights: '4bit' }),
      train(makePytorchPlace(), { ...twoLayers, baseWeights: '8bit' }),
    ]);
    const [ofFourBit, ofEightBit] = await Promise.all([
      train(place, twoLayers, undefined, 'model-4bit'),
      train(place, twoLayers, undefined, 'model-8bit'),
    ]);
    // What is learned beside 4-bit weights is what is learned beside the floats that they stand for.
    expect(largestDifference(fourBit.losses, ofFourBit.losses)).toBeLessThan(1e-3);
    // Beside 8-bit weights bitsandbytes rounds each token's activations to 8 bit too (LLM.int8()), which no dense run does.
    expect(largestDifference(eightBit.losses, ofEightBit.losses)).toBeLessThan(0.02);
    const [half, checkpointed] = await Promise.all([
      train(makePytorchPlace(), { ...twoLayers, precision: 'bfloat16' }),
      train(makePytorchPlace(), { ...twoLayers, gradientCheckpointing: true }),
    ]);
    expect(largestDifference(checkpointed.losses, plain.losses)).toBeLessThan(1e-5);
    for (const run of [fourBit, eightBit, half]) {
      const difference = largestDifference(run.losses, plain.losses);
      expect(difference).toBeLessThan(0.3);
      // Rounded they are: the same losses would mean that the setting did nothing.
      expect(difference).toBeGreaterThan(1e-5);
      const [base] = run.series.evaluations;
      expect(run.series.evaluations.at(-1)!.evalLossNats).toBeLessThan(base!.evalLossNats);
    }
  });
});

/** `model-4bit` and so on beside the place's model. */
async function dequantize({ folder }: Place, forms: readonly string[]): Promise<void> {
  const script = join(import.meta.dirname, 'dequantize.py');
  await promisify(execFile)(requirePython(), [script, join(folder, 'model'), join(folder, 'model'), ...forms]);
}

function writePreferences(path: string): void {
  const lines = Array.from({ length: 40 }, (_, i) => {
    const letter = String.fromCharCode(97 + (i % 26));
    return JSON.stringify({ prompt: `say ${letter} ${i}`, chosen: letter.repeat(4), rejected: `no ${i}` });
  });
  writeFileSync(path, lines.join('\n'));
}
