/** Every method of the PyTorch engine beside the embedded engine's, and its output read back by it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

  it('trains beside weights of 4 and of 8 bit, in bfloat16, and with checkpointed gradients', async () => {
    const place = makePytorchPlace();
    const plain = await train(place, twoLayers);
    const [fourBit, eightBit] = await Promise.all([
      train(makePytorchPlace(), { ...twoLayers, baseWeights: '4bit' }),
      train(makePytorchPlace(), { ...twoLayers, baseWeights: '8bit' }),
    ]);
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

function writePreferences(path: string): void {
  const lines = Array.from({ length: 40 }, (_, i) => {
    const letter = String.fromCharCode(97 + (i % 26));
    return JSON.stringify({ prompt: `say ${letter} ${i}`, chosen: letter.repeat(4), rejected: `no ${i}` });
  });
  writeFileSync(path, lines.join('\n'));
}
