/** A small model of some architecture with what transformers computed for it, beside what the engine computes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '../../src/core/formats/safetensors.ts';
import { emitOnnx } from '../../src/core/graph/emitOnnx.ts';
import { makeAdapterInputs } from '../../src/core/infer/adapterInputs.ts';
import { findLargest } from '../../src/core/infer/findLargest.ts';
import { appendTokens, emptyCache } from '../../src/core/infer/keyValueCache.ts';
import { makeRopeFeeds } from '../../src/core/infer/ropeFeeds.ts';
import type { ModelConfig } from '../../src/core/models/architecture.ts';
import { addedOutput, buildDecodingGraph, logitPositionsInput } from '../../src/core/models/decodingGraph.ts';
import { type Model, readModel } from '../../src/core/models/findArchitecture.ts';
import type { OpenModel } from '../../src/core/models/openedModel.ts';
import { openModel } from '../../src/core/models/openModel.ts';
import { listWeightTensors, readParameterTensor } from '../../src/core/models/parameterTensors.ts';
import { makeRopeTables } from '../../src/core/nn/rope.ts';
import { AdamW } from '../../src/core/optim/adamW.ts';
import { GraphSession } from '../../src/core/runtime/graphSession.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../../src/core/runtime/tensor.ts';
import type { PackedBatch } from '../../src/core/text/packedBatch.ts';
import { createTrainingEngine, type EngineShape } from '../../src/core/train/createTrainingEngine.ts';
import { runStep } from '../../src/core/train/runStep.ts';

interface Reference {
  readonly modules: string[];
  readonly batch: Record<string, number | number[]>;
  readonly prompt: number[];
  readonly greedy: number[];
  readonly lora: { readonly rank: number; readonly alpha: number; readonly learningRate: number; losses: number[] };
  readonly full: { readonly learningRate: number; readonly losses: number[] };
  readonly optimizer: { beta1: number; beta2: number; weightDecay: number; clipNorm: number };
}

/** Relative differences that float32 arithmetic in another order explains. */
export const referenceTolerance = { logits: 1e-5, firstLoss: 1e-6, gradient: 2e-5, losses: 1e-4, rope: 1e-6 } as const;

/** The largest differences, relative to the size of what is compared. */
export interface TrainingDifferences {
  readonly firstLoss: number;
  readonly losses: number;
  readonly gradient: number;
}

export interface ArchitectureReference {
  readonly reference: Reference;
  readonly opened: OpenModel;
  readonly model: Model;
  readonly folder: string;
}

export async function openReference(folder: string): Promise<ArchitectureReference> {
  const reference = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')) as Reference;
  const opened = await openModel(folder, { tinyFolder: folder });
  return { reference, opened, model: readModel(opened.config), folder };
}

/** Trains as the reference was trained. */
export async function compareTraining(
  { reference, opened, model, folder }: ArchitectureReference,
  method: 'lora' | 'full',
  shape: EngineShape,
): Promise<TrainingDifferences> {
  const batch = toBatch(reference.batch);
  const recipe = reference[method];
  const engine = await createTrainingEngine({
    model,
    weights: opened.weights,
    method,
    targetModules: reference.modules,
    rank: reference.lora.rank,
    alpha: reference.lora.alpha,
    seed: 1,
    batchRows: batch.batchRows,
    contextTokens: batch.contextTokens,
    threads: 1,
    shape,
  });
  const { tensors } = openSafetensors(join(folder, 'reference.safetensors'));
  const expectedNames = tensors.names.filter(name => name.startsWith(`${method}.`)).sort();
  const names = engine.parameters.map(({ name }) => `${method}.${name}`).sort();
  if (names.join() !== expectedNames.join()) throw new Error(`expected ${expectedNames.join()}, got ${names.join()}`);
  if (method === 'lora')
    for (const { name, value } of engine.parameters) value.set(tensors.readFloat32(`start.${name}`));
  const optimizer = new AdamW(engine.parameters, { ...reference.optimizer, epsilon: 1e-8 });
  const differences: number[] = [];
  let gradient = 0;
  for (const [index, expected] of recipe.losses.entries()) {
    const { lossNats } = await runStep(engine, optimizer, {
      step: index + 1,
      batches: [batch],
      learningRate: recipe.learningRate,
      clipNorm: reference.optimizer.clipNorm,
      clues: { method, learningRate: recipe.learningRate, clipNorm: 1, previousGradNorm: null },
    });
    differences.push(Math.abs(lossNats / expected - 1));
    if (index > 0) continue;
    const references = engine.parameters.map(({ name }) => tensors.readFloat32(`${method}.${name}`));
    // A tensor that hardly moves is held to the scale of the others.
    const largest = Math.max(...references.map(norm));
    for (const [at, parameter] of engine.parameters.entries()) {
      const scale = Math.max(norm(references[at]!), 1e-3 * largest);
      gradient = Math.max(gradient, distance(parameter.gradient, references[at]!) / scale);
    }
  }
  tensors.close();
  await engine.dispose();
  return { firstLoss: differences[0]!, losses: Math.max(...differences), gradient };
}

/** The prompt and the reference's tokens one at a time over a cache: logits, and whether greedy tokens are the same. */
export async function compareDecoding({
  reference,
  opened,
  model,
  folder,
}: ArchitectureReference): Promise<{ logits: number; tokens: number[] }> {
  const built = buildDecodingGraph(model, { logits: 'chosen' });
  const session = await GraphSession.create(emitOnnx(built.graph, built.outputs), { threads: 1 });
  const feeds: Record<string, RuntimeTensor> = {
    ...makeRopeFeeds(model, reference.prompt.length + reference.greedy.length),
    ...makeAdapterInputs(model, null),
  };
  for (const weight of built.weights) {
    feeds[weight.name] = makeTensor('float32', readParameterTensor(opened.weights, weight), weight.shape);
  }
  const { tensors } = openSafetensors(join(folder, 'reference.safetensors'));
  const expected = tensors.readFloat32('logits');
  tensors.close();
  const width = model.config.vocabularySize;
  const tokens: number[] = [];
  let cache = emptyCache(model.config);
  let ids = reference.prompt;
  let logits = 0;
  for (const [at, token] of reference.greedy.entries()) {
    const total = reference.prompt.length + at;
    const results = await session.run({
      ...feeds,
      ...cache.tensors,
      input_ids: makeTensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
      attention_mask: makeTensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
      [logitPositionsInput]: makeTensor('int64', BigInt64Array.of(-1n), [1]),
    });
    const row = expected.subarray(at * width, (at + 1) * width);
    logits = Math.max(logits, distance(floatData(results.logits!), row) / norm(row));
    tokens.push(findLargest(floatData(results.logits!)));
    cache = appendTokens(model.config, cache, floatData(results[addedOutput]!), ids.length);
    ids = [token];
  }
  await session.release();
  return { logits, tokens };
}

/** Fields that a GGUF file cannot say of these small models, whose windows and scales are not those of any real one. */
const untold: Readonly<Record<string, readonly string[]>> = {
  qwen2: ['layerAttention'],
  qwen3: ['layerAttention'],
  smollm3: ['layerAttention'],
  gemma2: ['attentionFactor'],
  gemma3_text: ['attentionFactor'],
};

/** The same model out of its GGUF file: what of its configuration and which of its weights differ. */
export async function compareGguf({ opened, model, folder }: ArchitectureReference): Promise<string[]> {
  const path = join(folder, 'model.gguf');
  const gguf = await openModel(path, { tinyFolder: folder });
  const other = readModel({ ...gguf.config, model_type: gguf.modelType });
  const skipped = untold[model.config.modelType] ?? [];
  const differences = Object.entries(model.config)
    .filter(([field]) => !skipped.includes(field))
    .filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(other.config[field as keyof ModelConfig]))
    .map(([field, value]) => `${field}: ${JSON.stringify([value, other.config[field as keyof ModelConfig]])}`);
  for (const tensor of listWeightTensors(model)) {
    const expected = readParameterTensor(opened.weights, tensor);
    const actual = readParameterTensor(gguf.weights, tensor);
    // 1 is added to Gemma's norms before they are stored.
    if (actual.some((value, i) => Math.abs(value - expected[i]!) > 1e-7)) differences.push(tensor.name);
  }
  gguf.close();
  return differences;
}

function toBatch({ labelWeights, ...json }: Record<string, number | number[]>): PackedBatch {
  const integers = Object.entries(json).map(([name, value]) => [
    name,
    typeof value === 'number' ? value : Int32Array.from(value),
  ]);
  return { ...Object.fromEntries(integers), labelWeights: Float32Array.from(labelWeights as number[]) } as PackedBatch;
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function distance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new Error(`expected ${b.length} elements, got ${a.length}`);
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
}

/** The largest difference of each rope scaling's tables from those of transformers, in the last row. */
export function compareRopes(path: string): Record<string, number> {
  const ropes = JSON.parse(readFileSync(path, 'utf8')) as Record<
    string,
    { config: object; positions: number; cosines: number[]; sines: number[] }
  >;
  return Object.fromEntries(
    Object.entries(ropes).map(([name, { config, positions, ...expected }]) => {
      const { cosines, sines, shape } = makeRopeTables(readModel(config).config.rope, positions);
      const last = (table: Float32Array): Float32Array => table.subarray(-shape[1]);
      const difference = (actual: Float32Array, row: number[]): number => {
        if (actual.length !== row.length) return Infinity;
        return Math.max(...row.map((value, i) => Math.abs(value - actual[i]!)));
      };
      return [name, Math.max(difference(last(cosines), expected.cosines), difference(last(sines), expected.sines))];
    }),
  );
}
