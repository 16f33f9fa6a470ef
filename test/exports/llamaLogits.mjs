// @ts-check
/**
 * `node llamaLogits.mjs PACKAGES JOBS ANSWERS`: llama.cpp's answers, through node-llama-cpp in the folder PACKAGES. JOBS is a file with
 * a list of {model, lora?, tokens, greedyTokens, texts?}; appends to ANSWERS a line of JSON a job: logits after each token (by token id), greedy tokens, and the tokens of texts.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages = '', jobsFile = '', answersFile = ''] = process.argv.slice(2);
const resolved = createRequire(join(packages, 'package.json')).resolve('node-llama-cpp');
const { getLlama } = await import(pathToFileURL(resolved).href);
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });

for (const job of JSON.parse(readFileSync(jobsFile, 'utf8'))) {
  const model = await llama.loadModel({ modelPath: job.model, gpuLayers: 0 });
  const size = job.tokens.length + job.greedyTokens + 8;
  const context = await model.createContext({
    contextSize: size,
    batchSize: size,
    sequences: 1,
    threads: 1,
    ...(job.lora !== undefined && { lora: job.lora }),
  });
  const sequence = context.getSequence();
  const items = job.tokens.map((/** @type {number} */ token) => [token, { generateNext: { logits: true } }]);
  const evaluated = await sequence.controlledEvaluate(items);
  const logits = evaluated.map((/** @type {{ next: { logits: Map<number, number> } }} */ { next }) => {
    /** @type {number[]} */
    const row = [];
    for (const [token, logit] of next.logits) row[token] = logit;
    return row;
  });
  await sequence.clearHistory();
  /** @type {number[]} */
  const greedy = [];
  for await (const token of sequence.evaluate(job.tokens, { temperature: 0, yieldEogToken: true })) {
    greedy.push(token);
    if (greedy.length === job.greedyTokens) break;
  }
  const texts = (job.texts ?? []).map((/** @type {string} */ text) => model.tokenize(text, true));
  const template = model.fileInfo.metadata.tokenizer?.chat_template;
  // Not to the output: a process that ends at once would cut megabytes of it off.
  appendFileSync(answersFile, `${JSON.stringify({ logits, greedy, texts, template })}\n`);
  await context.dispose();
  await model.dispose();
}
process.exit(0);
