/** Exported GGUF models and adapters in llama.cpp: its logits, greedy answers and tokens beside the engine's. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAdapter } from '../../src/core/adapter/readAdapter.ts';
import { makeAdapterInputs } from '../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../src/core/infer/decodingSession.ts';
import { findLargest } from '../../src/core/infer/findLargest.ts';
import { loadResidentModel } from '../../src/core/infer/residentModel.ts';
import { exportTuned } from '../../src/core/jobs/export/exportTuned.ts';
import { readModel } from '../../src/core/models/findArchitecture.ts';
import { tellingTexts } from '../../src/core/models/gguf/findPreTokenizerName.ts';
import { openModel } from '../../src/core/models/openModel.ts';
import type { ExportFormat, ExportType } from '../../src/shared/exportFormats.ts';
import { makeTemporaryFolder } from '../support/temporaryFolder.ts';
import { writeTinyAdapter, writeTinyChatModel } from '../support/tinyChatModel.ts';

const packages = process.env.TUNING_FORK_LLAMA_CPP ?? '';
const real = process.env.TUNING_FORK_MODEL;
const { path: folder, remove } = makeTemporaryFolder();
afterAll(remove);

const models = { tinyFolder: '' };
const greedyTokens = 8;

interface Job {
  readonly model: string;
  readonly lora?: string;
  readonly tokens: readonly number[];
  readonly greedyTokens: number;
  readonly texts?: readonly string[];
}

interface Answer {
  readonly logits: number[][];
  readonly greedy: number[];
  readonly texts: number[][];
  readonly template?: string;
}

async function askLlamaCpp(jobs: readonly Job[]): Promise<Answer[]> {
  const file = join(folder, 'jobs.json');
  writeFileSync(file, JSON.stringify(jobs));
  const script = join(import.meta.dirname, 'llamaLogits.mjs');
  const answers = join(folder, `answers-${count++}.jsonl`);
  await promisify(execFile)(process.execPath, [script, packages, file, answers]);
  return readFileSync(answers, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Answer);
}

/** What the engine computes in float32. */
async function askEngine(model: string, adapter: string, tokens: readonly number[]) {
  const opened = await openModel(model, models);
  const resident = await loadResidentModel(opened, { weights: 'float' });
  const session = await DecodingSession.create(resident, { threads: 1 });
  const inputs = makeAdapterInputs(resident.model, readAdapter(adapter), resident);
  let { logits, cache } = await session.extendGuessed(tokens, session.emptyCache(), inputs);
  const width = resident.model.config.vocabularySize;
  const rows = tokens.map((_, row) => logits.slice(row * width, (row + 1) * width));
  const greedy: number[] = [];
  let last: Float32Array = rows.at(-1)!;
  while (greedy.length < greedyTokens) {
    greedy.push(findLargest(last));
    ({ logits, cache } = await session.extend([greedy.at(-1)!], cache, inputs));
    last = logits;
  }
  const texts = tellingTexts.map(text => resident.tokenizer.encode(text));
  await session.release();
  opened.close();
  return { rows, greedy, texts, template: resident.template.text };
}

/** Distance over spread, both without their means. */
function compare(expected: readonly Float32Array[], actual: readonly number[][]): number {
  let [distance, spread] = [0, 0];
  for (const [row, a] of expected.entries()) {
    const b = actual[row]!;
    const means = [a, b].map(values => (values as number[]).reduce((sum, value) => sum + value, 0) / a.length);
    for (let i = 0; i < a.length; i++) {
      distance += (a[i]! - means[0]! - (b[i]! - means[1]!)) ** 2;
      spread += (a[i]! - means[0]!) ** 2;
    }
  }
  return Math.sqrt(distance / spread);
}

let count = 0;
async function exportFile(
  paths: readonly string[],
  model: string,
  format: ExportFormat,
  dtype: ExportType | null,
): Promise<string> {
  const { path } = await exportTuned({ paths, model, format, dtype, out: join(folder, `out-${count++}`) }, { models });
  return join(path, readdirSync(path).find(name => name.endsWith('.gguf'))!);
}

const gemma = { head_dim: 16, query_pre_attn_scalar: 16, sliding_window: 64, rope_parameters: null };
const cases: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['llama', {}],
  ['mistral', { tie_word_embeddings: false }],
  ['qwen2', {}],
  ['qwen3', { tie_word_embeddings: false }],
  ['olmo2', {}],
  ['phi3', { rope_parameters: null, rope_theta: 10_000 }],
  ['smollm3', { num_hidden_layers: 4 }],
  ['gemma2', gemma],
  ['gemma3_text', gemma],
];
const types = ['float32', 'float16', 'q8_0', 'q4_0'] as const;
const tokens = [1, 17, 300, 45, 45, 201, 9, 77, 350, 123, 60, 61];

describe('llama.cpp', () => {
  const asked: { name: string; job: Job; expected: Awaited<ReturnType<typeof askEngine>> }[] = [];
  let answers: Answer[];

  beforeAll(async () => {
    for (const [modelType, changes] of cases) {
      const config = { model_type: modelType, ...changes };
      const base = writeTinyChatModel(join(folder, modelType), config);
      const opened = await openModel(base, models);
      const model = readModel(opened.config);
      opened.close();
      const { layers } = model.architecture.describeParameters(model.config);
      const linear = layers[0]!.filter(({ kind }) => kind === 'linear').map(({ name }) => name.split('.').at(-2)!);
      const adapter = writeTinyAdapter(join(folder, `${modelType}-adapter`), { model, targetModules: linear });
      const expected = await askEngine(base, adapter, tokens);
      const add = (name: string, file: string, lora?: string) =>
        asked.push({
          name: `${modelType} ${name}`,
          job: { model: file, ...(lora && { lora }), tokens, greedyTokens, texts: tellingTexts },
          expected,
        });
      for (const type of modelType === 'llama' ? types : types.slice(0, 1)) {
        add(type, await exportFile([adapter], base, 'gguf', type));
      }
      const stripped = await exportFile([base], base, 'gguf', 'float32');
      add('lora', stripped, await exportFile([adapter], base, 'gguf-lora', null));
    }
    answers = await askLlamaCpp(asked.map(({ job }) => job));
  });

  it('has the logits of the tuned model, merged and with the adapter beside, for every architecture', () => {
    const limits: Readonly<Record<string, number>> = { float16: 0.02, q8_0: 0.15, q4_0: 0.8 };
    const differences = asked.map(
      ({ name, expected }, i) => [name, compare(expected.rows, answers[i]!.logits)] as const,
    );
    console.log(differences.map(([name, difference]) => `${name}: ${difference.toExponential(1)}`).join('\n'));
    for (const [name, difference] of differences) {
      expect(difference, name).toBeLessThan(limits[name.split(' ')[1]!] ?? 0.02);
    }
    expect(differences).toHaveLength(cases.length * 2 + types.length - 1);
  });

  it('answers with the greedy tokens of the tuned model in float32 and float16', () => {
    for (const [i, { name, expected }] of asked.entries()) {
      if (!/q\d_0$/.test(name)) expect(answers[i]!.greedy, name).toEqual(expected.greedy);
    }
  });

  it('cuts texts into the tokens of the model, and finds its chat template', () => {
    for (const [i, { name, expected }] of asked.entries()) {
      expect(answers[i]!.texts, name).toEqual(expected.texts);
      expect(answers[i]!.template, name).toBe(expected.template);
    }
  });
});

describe.skipIf(real === undefined)('llama.cpp with a real model', () => {
  it('answers as the tuned model does, merged in float16 and 8 bit and with the adapter beside its file', async () => {
    const opened = await openModel(real!, models);
    const model = readModel({ ...opened.config, model_type: opened.modelType });
    opened.close();
    const adapter = writeTinyAdapter(join(folder, 'real-adapter'), { model, rank: 4, alpha: 8, strength: 0.02 });
    const prompt = [1, 4093, 198, 1780, 314, 253, 4545, 30, 2, 198, 1, 520, 9531, 198];
    const expected = await askEngine(real!, adapter, prompt);
    const jobs: Job[] = [];
    for (const type of ['float16', 'q8_0'] as const) {
      jobs.push({ model: await exportFile([adapter], real!, 'gguf', type), tokens: prompt, greedyTokens });
    }
    const lora = await exportFile([adapter], real!, 'gguf-lora', null);
    jobs.push({ model: real!, lora, tokens: prompt, greedyTokens, texts: tellingTexts });
    const answers = await askLlamaCpp(jobs);
    const differences = answers.map(answer => compare(expected.rows, answer.logits));
    console.log(`real model, float16, q8_0, adapter: ${differences.map(value => value.toExponential(1)).join(', ')}`);
    for (const [i, limit] of [0.01, 0.08, 0.1].entries()) expect(differences[i]).toBeLessThan(limit);
    expect(answers[0]!.greedy).toEqual(expected.greedy);
    expect(answers[2]!.texts).toEqual(expected.texts);
  });
});
