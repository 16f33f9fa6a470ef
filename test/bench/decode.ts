/** @file `node decode.js PLAN`: answers the plan's prompt with and without an adapter, prints one line of JSON. */
import { type AdapterInputs, makeAdapterInputs } from '../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../src/core/infer/decodingSession.ts';
import { encodePrompt } from '../../src/core/infer/encodePrompt.ts';
import { findLargest } from '../../src/core/infer/findLargest.ts';
import { generateText } from '../../src/core/infer/generateText.ts';
import { copyRows } from '../../src/core/infer/keyValueCache.ts';
import { loadResidentModel } from '../../src/core/infer/residentModel.ts';
import { readPeakRssBytes } from '../../src/core/jobs/train/peakMemory.ts';
import { openModel } from '../../src/core/models/openModel.ts';
import { makeBenchAdapter } from './benchAdapter.ts';
import { type BenchPlan, readPlan } from './benchPlan.ts';
import { resetPeakRss } from './peakMemory.ts';

const togetherRows = 8;

console.log(JSON.stringify(await measureDecoding(readPlan(process.argv[2]))));

async function measureDecoding(plan: BenchPlan): Promise<object> {
  const opened = await openModel(plan.model, { tinyFolder: '' });
  const resident = await loadResidentModel(opened);
  opened.close();
  const session = await DecodingSession.create(resident, { threads: plan.threads });
  const adapters = {
    base: session.baseInputs,
    adapter: makeAdapterInputs(resident.model, makeBenchAdapter(plan, resident.model), resident),
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
  const prompt = encodePrompt(resident, [{ role: 'user', content: plan.prompt }]);
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
      steppedTokensPerSecond: await measureSteps(session, adapters[kind], prompt, plan.outputTokens),
      togetherTokensPerSecond: await measureTogether(session, adapters[kind], prompt, plan.outputTokens),
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

/** Tokens a second of the same greedy answer with a step for every token. */
async function measureSteps(
  session: DecodingSession,
  adapter: AdapterInputs,
  prompt: readonly number[],
  maxTokens: number,
): Promise<number> {
  let step = await session.extend(prompt, session.emptyCache(), adapter);
  const startedAt = performance.now();
  for (let i = 1; i < maxTokens; i++) step = await session.extend([findLargest(step.logits)], step.cache, adapter);
  return (1000 * (maxTokens - 1)) / (performance.now() - startedAt);
}

/** Tokens a second of all answers to several prompts that decode as one batch, their prompts not counted. */
async function measureTogether(
  session: DecodingSession,
  adapter: AdapterInputs,
  prompt: readonly number[],
  maxTokens: number,
): Promise<number> {
  const { cache } = await session.extend(prompt, session.emptyCache(), adapter);
  const rows = Array.from({ length: togetherRows }, () => ({ cache, row: 0 }));
  let together = copyRows(session.resident.model.config, rows, prompt.length + maxTokens);
  const startedAt = performance.now();
  for (let step = 0; step < maxTokens; step++) {
    const tokens = rows.map((_, row) => 1000 + 97 * step + row);
    together = (await session.extendRows(tokens, together, adapter)).cache;
  }
  return (1000 * togetherRows * maxTokens) / (performance.now() - startedAt);
}
