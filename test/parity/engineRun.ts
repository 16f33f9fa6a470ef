/**
 * @file A finished run's folder -> a bundle from which test/parity/reference.py computes the same with PyTorch and PEFT:
 * batches of every step, start values, held-out batches, the adapter. What the engine itself computed stands beside it.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeFloats } from '../../src/core/formats/encodeFloats.ts';
import { writeSafetensors } from '../../src/core/formats/writeSafetensors.ts';
import { type PreparedRun, prepareRun } from '../../src/core/jobs/prepare/prepareRun.ts';
import { createRunEngine } from '../../src/core/jobs/train/createRunEngine.ts';
import { chooseTrainable } from '../../src/core/models/chooseTrainable.ts';
import { learningRateAt } from '../../src/core/optim/learningRate.ts';
import { planRanks } from '../../src/core/optim/rankBudget.ts';
import type { PackedBatch } from '../../src/core/text/packedBatch.ts';
import { DropoutMasks } from '../../src/core/train/dropoutMasks.ts';
import { planTraining } from '../../src/core/train/trainPlan.ts';
import { runNames } from '../../src/shared/runFolder.ts';
import { parseMetrics, type RunSeries } from '../../src/shared/runState.ts';

export interface EngineRun {
  /** The bundle's folder. */
  readonly bundle: string;
  readonly series: RunSeries;
  /** Of the first step, by PEFT's or Hugging Face's name. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly prompts: readonly (readonly number[])[];
}

export interface BundleOptions {
  readonly run: string;
  readonly bundle: string;
  readonly tinyFolder: string;
  readonly promptCount: number;
  readonly maxNewTokens: number;
}

export async function writeBundle(options: BundleOptions): Promise<EngineRun> {
  const { run, bundle, tinyFolder } = options;
  const control = { ask: () => 'continue' as const };
  const prepared = await prepareRun(run, { tinyFolder, hub: undefined, control, onPhase: () => undefined });
  try {
    const { record, batches, sides, model } = prepared;
    const { hyperparameters } = record;
    mkdirSync(bundle, { recursive: true });
    const plan = planTraining(hyperparameters, batches.totalSteps);
    const prompts = sides.heldOut
      .slice(0, options.promptCount)
      .map(({ tokenIds, supervised }) => [...tokenIds.subarray(0, supervised.indexOf(1))]);
    const json = {
      model: model.path,
      recipe: hyperparameters.adaLora
        ? { ...hyperparameters, adaSchedule: planRanks(hyperparameters, batches.totalSteps) }
        : hyperparameters,
      steps: Array.from({ length: batches.totalSteps }, (_, index) => ({
        learningRate: learningRateAt(index + 1, plan.learningRate),
        batches: batches.stepBatches(index + 1).batches.map(toJson),
      })),
      heldOut: Array.from(batches.heldOut, toJson),
      prompts,
      maxNewTokens: options.maxNewTokens,
      eosTokenIds: sides.tokenizer.eosTokenIds,
    };
    writeFileSync(join(bundle, 'bundle.json'), JSON.stringify(json));
    if (hyperparameters.method === 'lora' && hyperparameters.dropout > 0) writeMasks(prepared, bundle);
    const gradients = await computeFirstGradients(prepared, bundle);
    if (hyperparameters.method === 'lora') {
      cpSync(join(run, runNames.adapter), join(bundle, 'adapter'), { recursive: true });
    }
    const series = parseMetrics(readFileSync(join(run, runNames.metrics), 'utf8'));
    return { bundle, series, gradients, prompts };
  } finally {
    prepared.model.close();
  }
}

/** What the engine drops in each micro-batch, for a reference that is to drop the same. */
function writeMasks({ record, architecture, batches }: PreparedRun, bundle: string): void {
  const { hyperparameters } = record;
  const { seed, dropout, batchRows, contextTokens } = hyperparameters;
  const { targets } = chooseTrainable(architecture, hyperparameters);
  const masks = new DropoutMasks(seed, dropout, batchRows * contextTokens, targets);
  const tensors = Array.from({ length: batches.totalSteps }, (_, index) => index + 1).flatMap(step =>
    batches.stepBatches(step).batches.flatMap((_, microBatch) =>
      Object.entries(masks.draw({ step, microBatch })).map(([name, { data, dims }]) => {
        const bytes = encodeFloats(Float32Array.from(data as Float32Array), 'F32');
        return { name: `${step}.${microBatch}.${name}`, dtype: 'F32' as const, shape: dims, readPieces: () => [bytes] };
      }),
    ),
  );
  writeSafetensors(join(bundle, 'masks.safetensors'), tensors);
}

/** Also writes the start values: they are a pure function of the recipe. */
async function computeFirstGradients(prepared: PreparedRun, bundle: string): Promise<Map<string, Float32Array>> {
  const { batches } = prepared;
  const engine = await createRunEngine(prepared);
  try {
    const start = engine.parameters.map(({ name, shape, value }) => {
      const copy = value.slice();
      return { name, dtype: 'F32' as const, shape, readPieces: () => [encodeFloats(copy, 'F32')] };
    });
    writeSafetensors(join(bundle, 'initial.safetensors'), start);
    const first = batches.stepBatches(1).batches;
    const labels = first.reduce((sum, batch) => sum + batch.labels.length, 0);
    engine.zeroGradients();
    for (const [microBatch, batch] of first.entries()) {
      await engine.accumulate(batch, 1 / labels, { step: 1, microBatch });
    }
    return new Map(engine.parameters.map(({ name, gradient }) => [name, gradient.slice()]));
  } finally {
    await engine.dispose();
  }
}

function toJson(batch: PackedBatch): object {
  return Object.fromEntries(
    Object.entries(batch)
      .filter(([, value]) => typeof value === 'number' || ArrayBuffer.isView(value))
      .map(([name, value]) => [name, typeof value === 'number' ? value : Array.from(value as Int32Array)]),
  );
}
