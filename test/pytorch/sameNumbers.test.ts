/** The same recipe on both engines, in float32: the same start, order, losses and adapters. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRealModel } from '../../src/tools/models.mjs';
import type { Place } from '../support/programs.ts';
import { writeTinyModel } from '../support/tinyModel.ts';
import { evaluate, largestDifference, makePytorchPlace, type Settings, train } from './pytorchRuns.ts';

const steps = { maxSteps: 20, evalEverySteps: 10, earlyStoppingPatience: 0 };

describe('both engines', () => {
  it('learn the same from a tiny model: packed, accumulated, with warmup and decay', async () => {
    const place = makePytorchPlace();
    const settings = {
      ...steps,
      contextTokens: 96,
      gradientAccumulation: 2,
      warmupRatio: 0.2,
      weightDecay: 0.1,
      loraPlusRatio: 4,
      samplePrompts: 'say c 2',
    };
    const [embedded, pytorch] = await Promise.all([
      train(place, { ...settings, engine: 'embedded' }),
      train(makePytorchPlace(), settings),
    ]);
    const difference = largestDifference(pytorch.losses, embedded.losses);
    console.log(`tiny: losses of 20 steps differ by at most ${difference.toExponential(1)}`);
    expect(pytorch.losses).toHaveLength(20);
    expect(difference).toBeLessThan(1e-4);
    const heldOut = (run: typeof embedded) => run.series.evaluations.map(({ evalLossNats }) => evalLossNats);
    expect(largestDifference(heldOut(pytorch), heldOut(embedded))).toBeLessThan(1e-4);
    for (const name of ['learningRate', 'supervisedTokens', 'epoch'] as const) {
      const of = (run: typeof embedded) => run.series.steps.map(row => row[name]);
      expect(largestDifference(of(pytorch), of(embedded))).toBeLessThan(1e-9);
    }
    const norms = (run: typeof embedded) => run.series.steps.map(({ gradNorm }) => gradNorm);
    expect(largestDifference(norms(pytorch), norms(embedded))).toBeLessThan(1e-3);

    // What it leaves is what the embedded engine leaves: the same files, the same card but for last digits.
    const files = ['adapter_config.json', 'adapter_model.safetensors', 'chat_template.jinja', 'tokenizer.json'];
    for (const name of files) expect(existsSync(join(pytorch.result.output, name)), name).toBe(true);
    const config = (run: typeof embedded) => readFileSync(join(run.result.output, 'adapter_config.json'), 'utf8');
    expect(config(pytorch).replaceAll(/tuning-fork-test-\w+/g, '')).toBe(
      config(embedded).replaceAll(/tuning-fork-test-\w+/g, ''),
    );
    const card = (run: typeof embedded) =>
      readFileSync(join(run.result.output, 'README.md'), 'utf8').replaceAll(/\d\.\d{4}/g, 'n');
    expect(card(pytorch)).toBe(card(embedded));
    expect(await evaluate(place, embedded.result.path)).toBeCloseTo(pytorch.series.evaluations.at(-1)!.evalLossNats, 4);
  });

  it('learn the same from a teacher: what it says of each token, at a temperature, beside the rows', async () => {
    const [one, other] = [makePytorchPlace(), makePytorchPlace()];
    const distill = {
      ...steps,
      objective: 'distill',
      distillAlpha: 0.7,
      distillTemperature: 2,
      distillTopK: 16,
      gradientAccumulation: 2,
    };
    const learn = (place: Place, settings: Settings) => {
      writeTinyModel(join(place.folder, 'teacher'), { seed: 9, heads: 2 });
      return train(place, settings, undefined, undefined, ['--teacher', 'teacher']);
    };
    const [embedded, pytorch] = await Promise.all([
      learn(one, { ...distill, engine: 'embedded' }),
      learn(other, distill),
    ]);
    expect(largestDifference(pytorch.losses, embedded.losses)).toBeLessThan(1e-4);
    for (const name of ['evalLossNats', 'crossEntropyNats', 'divergenceNats'] as const) {
      const of = (run: typeof embedded) => run.series.evaluations.map(row => row[name]!);
      expect(of(embedded)).toHaveLength(3);
      expect(largestDifference(of(pytorch), of(embedded)), name).toBeLessThan(1e-4);
    }
    const divergences = (run: typeof embedded) => run.series.steps.map(row => row.divergenceNats!);
    expect(largestDifference(divergences(pytorch), divergences(embedded))).toBeLessThan(1e-4);
  });

  it.skipIf(findRealModel() === undefined)('learn the same from a real one of 135 million weights', async () => {
    const place = makePytorchPlace();
    const settings = {
      ...steps,
      contextTokens: 64,
      batchRows: 1,
      rank: 8,
      targetModules: 'q_proj,v_proj',
      learningRate: 1e-3,
      evalRatio: 0.05,
      memoryLimitBytes: 8e9,
    };
    const model = findRealModel()!;
    const embedded = await train(place, { ...settings, engine: 'embedded' }, undefined, model);
    const pytorch = await train(place, settings, undefined, model);
    const difference = largestDifference(pytorch.losses, embedded.losses);
    console.log(`SmolLM2-135M: losses of 20 steps differ by at most ${difference.toExponential(1)}`);
    expect(difference).toBeLessThan(1e-3);
    const last = (run: typeof embedded) => run.series.evaluations.at(-1)!.evalLossNats;
    expect(Math.abs(last(pytorch) - last(embedded))).toBeLessThan(1e-3);
  });
});
