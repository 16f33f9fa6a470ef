/** @file `node decode.js PLAN`: answers the plan's prompt with and without an adapter, prints one line of JSON. */
import type { Adapter } from '../../src/core/adapter/readAdapter.ts';
import { listLinear, makeAdapterInputs } from '../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../src/core/infer/decodingSession.ts';
import { generateText } from '../../src/core/infer/generateText.ts';
import { loadResidentModel } from '../../src/core/infer/residentModel.ts';
import { readPeakRssBytes } from '../../src/core/jobs/peakMemory.ts';
import type { Model } from '../../src/core/models/findArchitecture.ts';
import { findTargets, moduleOf } from '../../src/core/models/loraNames.ts';
import { openModel } from '../../src/core/models/openModel.ts';
import { initializeLoraA } from '../../src/core/train/initializeLora.ts';
import { type BenchPlan, readPlan } from './benchPlan.ts';
import { resetPeakRss } from './peakMemory.ts';

console.log(JSON.stringify(await measureDecoding(readPlan(process.argv[2]))));

async function measureDecoding(plan: BenchPlan): Promise<object> {
  const opened = await openModel(plan.model, { tinyFolder: '' });
  const resident = await loadResidentModel(opened);
  opened.close();
  const session = await DecodingSession.create(resident, { threads: plan.threads });
  const adapters = {
    base: session.baseInputs,
    adapter: makeAdapterInputs(resident.model, makeAdapter(plan, resident.model), resident),
  };
  const answer = (kind: keyof typeof adapters, maxTokens: number) =>
    generateText(session, {
      messages: [{ role: 'user', content: plan.prompt }],
      adapter: adapters[kind],
      settings: { maxTokens, temperature: 0, topP: 1, seed: 0 },
    });
  const loadingPeakRssBytes = readPeakRssBytes();
  const hasOwnPeak = resetPeakRss();
  const cases: Record<string, object> = {};
  for (const kind of ['base', 'adapter'] as const) {
    await answer(kind, 2);
    const { promptTokens, outputTokens, firstTokenMs, tokensPerSecond } = await answer(kind, plan.outputTokens);
    if (outputTokens < plan.outputTokens) {
      throw new Error(`expected an answer of ${plan.outputTokens} tokens to measure, got ${outputTokens}`);
    }
    cases[kind] = {
      promptTokens,
      outputTokens,
      tokensPerSecond,
      promptTokensPerSecond: (1000 * promptTokens) / firstTokenMs,
    };
  }
  const stepsPeakRssBytes = readPeakRssBytes();
  await session.release();
  return {
    ...cases,
    peakRssBytes: Math.max(loadingPeakRssBytes, stepsPeakRssBytes),
    stepsPeakRssBytes: hasOwnPeak ? stepsPeakRssBytes : null,
  };
}

/** As at the start of training: B is zero, so that it costs what any adapter costs and the answer is the base's. */
function makeAdapter({ lora: { rank, alpha, targetModules } }: BenchPlan, model: Model): Adapter {
  const pairs = findTargets(listLinear(model), targetModules).map(weight => {
    const [outputSize, inputSize] = weight.shape as [number, number];
    const a = initializeLoraA(1, weight.name, rank, inputSize);
    const b = new Float32Array(outputSize * rank);
    return { module: moduleOf(weight), rank, scale: alpha / rank, a, b, inputSize, outputSize };
  });
  return { path: 'bench', baseModel: null, pairs, saved: [], coversAllLayers: true };
}
