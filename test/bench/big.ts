/**
 * @file `node big.js MODEL SHAPE [STEPS] [THREADS] [LAYERS]`: trains LoRA on a model of that name's dimensions with random weights in 4 bit, at
 * context 512, and prints one line of JSON with what it took. SHAPE is whole or layered.
 */
import { readPeakRssBytes } from '../../src/core/jobs/train/peakMemory.ts';
import type { Model } from '../../src/core/models/findArchitecture.ts';
import { AdamW } from '../../src/core/optim/adamW.ts';
import type { PackedBatch } from '../../src/core/text/packedBatch.ts';
import { createTrainingEngine, type EngineShape } from '../../src/core/train/createTrainingEngine.ts';
import { forecastMemory } from '../../src/core/train/forecastMemory.ts';
import { holdWeights } from '../../src/core/train/holdWeights.ts';
import { runStep } from '../../src/core/train/runStep.ts';
import { makeBigModel, RandomBlocks } from './bigModels.ts';

const contextTokens = 512;
const targetModules = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

const [name, shape, steps, threads, layers] = process.argv.slice(2);
if (name === undefined || (shape !== 'whole' && shape !== 'layered'))
  throw new Error('usage: big.js MODEL SHAPE STEPS');
const model = makeBigModel(name, layers === undefined ? undefined : Number(layers));
console.log(JSON.stringify(await measure(model, shape, Number(steps ?? 3), Number(threads ?? 2))));

async function measure(model: Model, engineShape: EngineShape, stepCount: number, threadCount: number) {
  const lora = { method: 'lora', rank: 16, targetModules, batchRows: 1, contextTokens } as const;
  const weights = new RandomBlocks(model);
  const engine = await createTrainingEngine({
    ...lora,
    model,
    weights,
    alpha: 32,
    baseWeights: '4bit',
    seed: 1,
    threads: threadCount,
    shape: engineShape,
  });
  const optimizer = new AdamW(engine.parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
  const loadedRssBytes = process.memoryUsage().rss;
  const loadingPeakRssBytes = readPeakRssBytes();
  const batches = [makeBatch(model.config.vocabularySize)];
  const stepMs: number[] = [];
  const losses: number[] = [];
  for (let step = 1; step <= stepCount; step++) {
    const startedAt = performance.now();
    const learningRate = 2e-4;
    const clues = { method: 'lora', learningRate, clipNorm: 1, previousGradNorm: null } as const;
    const { lossNats } = await runStep(engine, optimizer, { step, batches, learningRate, clipNorm: 1, clues });
    stepMs.push(performance.now() - startedAt);
    losses.push(lossNats);
  }
  const peakRssBytes = readPeakRssBytes();
  await engine.dispose();
  const held = holdWeights(model, weights, lora, '4bit');
  const forecastBytes = forecastMemory({ ...lora, model: held.model }).totalBytes[engineShape];
  return {
    model: name,
    layers: model.config.layers,
    shape: engineShape,
    stepMs,
    losses,
    loadedRssBytes,
    loadingPeakRssBytes,
    peakRssBytes,
    forecastBytes,
  };
}

/** One row of one segment, the last quarter supervised. */
function makeBatch(vocabularySize: number): PackedBatch {
  const tokenIds = Int32Array.from({ length: contextTokens }, (_, at) => (at * 7919 + 13) % vocabularySize);
  const targetPositions = Int32Array.from({ length: contextTokens / 4 }, (_, i) => (3 * contextTokens) / 4 + i - 1);
  return {
    batchRows: 1,
    contextTokens,
    tokenIds,
    positions: tokenIds.map((_, at) => at),
    segments: new Int32Array(contextTokens),
    targetPositions,
    labels: targetPositions.map(position => tokenIds[position + 1]!),
    labelWeights: new Float32Array(targetPositions.length).fill(1),
    tokens: contextTokens,
  };
}
