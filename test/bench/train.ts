/**
 * @file `node train.js whole|layered PLAN float32|8bit [PROFILE]`: trains on the plan's batch, prints one line of JSON with what it
 * took. Profiles of the engine's sessions are written to files whose names begin with PROFILE.
 */
import { readPeakRssBytes } from '../../src/core/jobs/train/peakMemory.ts';
import { readModel } from '../../src/core/models/findArchitecture.ts';
import { openModel } from '../../src/core/models/openModel.ts';
import { AdamW } from '../../src/core/optim/adamW.ts';
import { collectGarbage } from '../../src/core/runtime/collectGarbage.ts';
import { createTrainingEngine, type EngineShape } from '../../src/core/train/createTrainingEngine.ts';
import { runStep } from '../../src/core/train/runStep.ts';
import type { BaseWeights } from '../../src/shared/hyperparameters.ts';
import { type BenchPlan, readPlan, toPackedBatch } from './benchPlan.ts';
import { resetPeakRss } from './peakMemory.ts';

const [shape, planFile, baseWeights, profilePrefix] = process.argv.slice(2);
if (shape !== 'whole' && shape !== 'layered') throw new Error(`expected whole or layered, got ${shape}`);
if (baseWeights !== 'float32' && baseWeights !== '8bit')
  throw new Error(`expected float32 or 8bit, got ${baseWeights}`);
console.log(JSON.stringify(await measureTraining(readPlan(planFile), shape, baseWeights)));

async function measureTraining(plan: BenchPlan, engineShape: EngineShape, base: BaseWeights): Promise<object> {
  const opened = await openModel(plan.model, { tinyFolder: '' });
  const engine = await createTrainingEngine({
    ...plan.lora,
    model: readModel({ ...opened.config, model_type: opened.modelType }),
    weights: opened.weights,
    method: 'lora',
    seed: 1,
    batchRows: plan.batchRows,
    contextTokens: plan.contextTokens,
    threads: plan.threads,
    shape: engineShape,
    baseWeights: base,
    profilePrefix,
  });
  opened.close();
  collectGarbage();
  const optimizer = new AdamW(engine.parameters, plan.optimizer);
  const loadingPeakRssBytes = readPeakRssBytes();
  const hasOwnPeak = resetPeakRss();
  const { learningRate, clipNorm } = plan.optimizer;
  const batches = [toPackedBatch(plan)];
  const stepMs: number[] = [];
  const stepCpuMs: number[] = [];
  const losses: number[] = [];
  for (let step = 1; step <= plan.warmupSteps + plan.timedSteps; step++) {
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    const clues = { method: 'lora', learningRate, clipNorm, previousGradNorm: null } as const;
    const { lossNats } = await runStep(engine, optimizer, { step, batches, learningRate, clipNorm, clues });
    const { user, system } = process.cpuUsage(cpuBefore);
    if (step > plan.warmupSteps) {
      stepMs.push(performance.now() - startedAt);
      stepCpuMs.push((user + system) / 1000);
    }
    losses.push(lossNats);
  }
  const stepsPeakRssBytes = readPeakRssBytes();
  await engine.dispose();
  return {
    stepMs,
    stepCpuMs,
    losses,
    peakRssBytes: Math.max(loadingPeakRssBytes, stepsPeakRssBytes),
    stepsPeakRssBytes: hasOwnPeak ? stepsPeakRssBytes : null,
  };
}
