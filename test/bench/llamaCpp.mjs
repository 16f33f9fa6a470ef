// @ts-check
/**
 * `node llamaCpp.mjs PACKAGES PLAN PREPARED`: the work of decode.ts in node-llama-cpp, whose packages lie in the folder
 * PACKAGES: the prompt's tokens and a greedy answer, with and without the adapter, through its lowest interface (tokens in,
 * tokens out; no chat, no text). Prints one line of JSON.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages = '', planFile = '', prepared = ''] = process.argv.slice(2);
const resolved = createRequire(join(packages, 'package.json')).resolve('node-llama-cpp');
const { getLlama } = await import(pathToFileURL(resolved).href);
const plan = JSON.parse(readFileSync(planFile, 'utf8'));
/** @type {number[]} */
const prompt = JSON.parse(readFileSync(join(prepared, 'prompt.json'), 'utf8'));

const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: plan.threads });
const model = await llama.loadModel({ modelPath: plan.model, gpuLayers: 0 });
/** @param {string} [lora] */
const openSequence = async lora => {
  const contextSize = prompt.length + plan.outputTokens + 16;
  const options = { contextSize, batchSize: contextSize, sequences: 1, threads: plan.threads };
  const context = await model.createContext({ ...options, ...(lora !== undefined && { lora }) });
  return context.getSequence();
};
const sequences = { base: await openSequence(), adapter: await openSequence(join(prepared, 'lora.gguf')) };

const loadingPeakRssBytes = readPeakRssBytes();
writeFileSync('/proc/self/clear_refs', '5');
/** @type {Record<string, object>} */
const report = {};
for (const [kind, sequence] of Object.entries(sequences)) {
  await answer(sequence, 2);
  report[kind] = await answer(sequence, plan.outputTokens);
}
const stepsPeakRssBytes = readPeakRssBytes();
const { version } = JSON.parse(readFileSync(join(packages, 'node_modules/node-llama-cpp/package.json'), 'utf8'));
const peakRssBytes = Math.max(loadingPeakRssBytes, stepsPeakRssBytes);
console.log(JSON.stringify({ ...report, peakRssBytes, stepsPeakRssBytes, versions: { 'node-llama-cpp': version } }));
process.exit(0);

/** @param {{ clearHistory(): Promise<void>, evaluate(tokens: number[], options: object): AsyncIterable<unknown> }} sequence @param {number} maxTokens */
async function answer(sequence, maxTokens) {
  await sequence.clearHistory();
  const startedAt = performance.now();
  /** @type {number[]} */
  const times = [];
  for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    times.push(performance.now());
    if (times.length === maxTokens) break;
  }
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  return {
    promptTokens: prompt.length,
    outputTokens: times.length,
    tokensPerSecond: (1000 * (times.length - 1)) / (last - first),
    promptTokensPerSecond: (1000 * prompt.length) / (first - startedAt),
  };
}

function readPeakRssBytes() {
  return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}
