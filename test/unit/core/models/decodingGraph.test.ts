import { describe, expect, it } from 'vitest';
import { emitOnnx } from '../../../../src/core/graph/emitOnnx.ts';
import { appendTokens, emptyCache as makeEmptyCache } from '../../../../src/core/infer/keyValueCache.ts';
import { makeRopeFeeds } from '../../../../src/core/infer/ropeFeeds.ts';
import { addedOutput, buildDecodingGraph, logitPositionsInput } from '../../../../src/core/models/decodingGraph.ts';
import { loraParameterNames } from '../../../../src/core/models/loraNames.ts';
import { readParameterTensor } from '../../../../src/core/models/parameterTensors.ts';
import { GraphSession } from '../../../../src/core/runtime/graphSession.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../../../../src/core/runtime/tensor.ts';
import { createTrainingEngine } from '../../../../src/core/train/createTrainingEngine.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';
import { makeTinyModel, makeTinyWeights } from './tinyModel.ts';

type Feeds = Record<string, RuntimeTensor>;
const model = makeTinyModel();
const { config } = model;
const tokens = [5, 17, 3, 60, 22, 9];

function emptyCache(): Feeds {
  return { ...makeEmptyCache(config).tensors };
}

function tokenFeeds(ids: readonly number[], total: number): Feeds {
  return {
    input_ids: makeTensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
    attention_mask: makeTensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
    [logitPositionsInput]: makeTensor('int64', BigInt64Array.of(-1n), [1]),
  };
}

async function openDecoder(logits: 'chosen' | 'all', rank: number, maxTensorBytes?: number) {
  const built = buildDecodingGraph({ ...model, maxTensorBytes }, { logits });
  const session = await GraphSession.create(emitOnnx(built.graph, built.outputs), { threads: 1 });
  const source = makeTinyWeights(model);
  const feeds: Feeds = { ...makeRopeFeeds(model, 32) };
  for (const weight of built.weights) {
    feeds[weight.name] = makeTensor('float32', readParameterTensor(source, weight), weight.shape);
  }
  for (const [index, module] of built.loraModules.entries()) {
    const [out, inner] = source.info(`${module}.weight`).shape as [number, number];
    const numbers = (count: number) => Float32Array.from(seededNumbers(index + 5, count));
    const names = loraParameterNames(module);
    feeds[names.a] = makeTensor('float32', numbers(rank * inner), [rank, inner]);
    feeds[names.b] = makeTensor('float32', numbers(rank * out), [out, rank]);
  }
  return { session, feeds };
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 4);
}

describe('buildDecodingGraph', () => {
  it('gives the same logits token by token with a cache as all at once', async () => {
    const { session, feeds } = await openDecoder('all', 2);
    const whole = await session.run({ ...feeds, ...tokenFeeds(tokens, tokens.length), ...emptyCache() });
    expect(whole.logits!.dims).toEqual([1, tokens.length, config.vocabularySize]);
    let cache = makeEmptyCache(config);
    for (const [at, token] of tokens.entries()) {
      const result = await session.run({ ...feeds, ...tokenFeeds([token], at + 1), ...cache.tensors });
      const row = floatData(whole.logits!).subarray(at * config.vocabularySize, (at + 1) * config.vocabularySize);
      expectClose(floatData(result.logits!), row);
      cache = appendTokens(config, cache, floatData(result[addedOutput]!), 1);
    }
    await session.release();
  });

  it('gives the logits whose losses training sees', async () => {
    const { session, feeds } = await openDecoder('all', 0);
    const logits = floatData(
      (await session.run({ ...feeds, ...tokenFeeds(tokens, tokens.length), ...emptyCache() })).logits!,
    );
    const losses = tokens.slice(1).map((label, at) => {
      const row = logits.subarray(at * config.vocabularySize, (at + 1) * config.vocabularySize);
      return Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[label]!;
    });
    const engine = await createTrainingEngine({
      model,
      weights: makeTinyWeights(model),
      method: 'full',
      targetModules: [],
      rank: 1,
      alpha: 1,
      seed: 1,
      batchRows: 1,
      contextTokens: tokens.length,
      threads: 1,
    });
    const { lossNatsSum } = await engine.evaluate({
      batchRows: 1,
      contextTokens: tokens.length,
      tokenIds: Int32Array.from(tokens),
      positions: Int32Array.from(tokens.keys()),
      segments: new Int32Array(tokens.length),
      targetPositions: Int32Array.from(losses.keys()),
      labels: Int32Array.from(tokens.slice(1)),
      labelWeights: new Float32Array(losses.length).fill(1),
      tokens: tokens.length,
    });
    expect(lossNatsSum).toBeCloseTo(
      losses.reduce((sum, loss) => sum + loss),
      4,
    );
    await Promise.all([session.release(), engine.dispose()]);
  });

  it('gives the same logits with its embedding in shards', async () => {
    const whole = await openDecoder('all', 1);
    const sharded = await openDecoder('all', 1, 20 * 4 * config.hiddenSize);
    expect(Object.keys(sharded.feeds).filter(name => name.includes('#'))).toHaveLength(4);
    const feeds = { ...tokenFeeds(tokens, tokens.length), ...emptyCache() };
    const expected = (await whole.session.run({ ...whole.feeds, ...feeds })).logits!;
    const actual = (await sharded.session.run({ ...sharded.feeds, ...feeds })).logits!;
    expect(actual.dims).toEqual(expected.dims);
    expectClose(floatData(actual), floatData(expected));
    await Promise.all([whole.session.release(), sharded.session.release()]);
  });

  it('gives only the last position when asked', async () => {
    const [all, last] = [await openDecoder('all', 1), await openDecoder('chosen', 1)];
    const feeds = { ...tokenFeeds(tokens, tokens.length), ...emptyCache() };
    const everyLogit = floatData((await all.session.run({ ...all.feeds, ...feeds })).logits!);
    const lastLogits = (await last.session.run({ ...last.feeds, ...feeds })).logits!;
    expect(lastLogits.dims).toEqual([1, 1, config.vocabularySize]);
    expectClose(floatData(lastLogits), everyLogit.subarray(-config.vocabularySize));
    await Promise.all([all.session.release(), last.session.release()]);
  });

  it('is the base model with adapters of rank 0', async () => {
    const { session, feeds } = await openDecoder('chosen', 0);
    const prompt = { ...tokenFeeds(tokens, tokens.length), ...emptyCache() };
    const base = floatData((await session.run({ ...feeds, ...prompt })).logits!);
    const adapter = (await openDecoder('chosen', 2)).feeds;
    const tuned = floatData((await session.run({ ...adapter, ...prompt })).logits!);
    const built = buildDecodingGraph(model, { logits: 'chosen', loraModules: [] });
    const plain = await GraphSession.create(emitOnnx(built.graph, built.outputs), { threads: 1 });
    expectClose(floatData((await plain.run({ ...feeds, ...prompt })).logits!), base);
    expect(tuned.some((logit, i) => Math.abs(logit - base[i]!) > 0.01)).toBe(true);
    await Promise.all([session.release(), plain.release()]);
  });
});
