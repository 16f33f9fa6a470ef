import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { generateText } from '../../../../../src/core/infer/generateText.ts';
import { ModelPool } from '../../../../../src/core/infer/modelPool.ts';
import type { Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import { type SampleRow, sampleRowSchema } from '../../../../../src/shared/runFolder.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { makeTinyRun, runJob } from '../../../../support/tinyRun.ts';

const samplePrompts = ['say c 2', 'say z 7'];
/** Heads of 16 elements, for which decoding has a kernel; without held-out rows the last step's weights are what is left. */
const makeRun = (folder: string, settings: Partial<Hyperparameters> = {}) =>
  makeTinyRun(folder, {
    model: { heads: 2 },
    settings: { samplePrompts, evalRatio: 0, earlyStoppingPatience: 0, maxSteps: 8, evalEverySteps: 4, ...settings },
    request: { overrides: ['memory'] },
  });

const readSamples = (run: string): SampleRow[] =>
  readFileSync(join(run, 'samples.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => sampleRowSchema.parse(JSON.parse(line)));

/** What a reader of the finished run gets as answers. */
async function answerAfterwards(folder: string, run: string | null): Promise<string[]> {
  const pool = new ModelPool({ models: { tinyFolder: '/nowhere' }, threads: 1 });
  onTestFinished(() => pool.release());
  const texts: string[] = [];
  for (const content of samplePrompts) {
    const { session, adapter } = await pool.attach(join(folder, 'model'), run);
    const settings = { maxTokens: 128, temperature: 0, topP: 1, seed: 0 };
    texts.push((await generateText(session, { messages: [{ role: 'user', content }], adapter, settings })).text);
  }
  return texts;
}

describe('SampleAnswers', () => {
  it.each<[string, Partial<Hyperparameters>]>([
    ['an adapter in the whole graph', { method: 'lora', learningRate: 0.05, alpha: 48 }],
    [
      'an adapter layer by layer',
      { method: 'lora', learningRate: 0.05, rsLora: true, baseWeights: 'float32', memoryLimitBytes: 64 * 2 ** 20 },
    ],
    ['DoRA on a layer', { method: 'lora', learningRate: 0.05, dora: true, layersToTransform: ['1'] }],
    ['all weights', { method: 'full', learningRate: 0.02 }],
    ['all weights layer by layer', { method: 'full', learningRate: 0.02, memoryLimitBytes: 64 * 2 ** 20 }],
  ])('are at each evaluation what the model would answer then, training %s', async (_name, settings) => {
    const folder = temporaryFolder();
    const run = makeRun(folder, settings);
    const { events } = await runJob(run);
    const rows = readSamples(run);
    expect(rows.map(({ step, prompt }) => [step, prompt])).toEqual(
      [0, 4, 8].flatMap(step => samplePrompts.map(prompt => [step, prompt])),
    );
    expect(events.flatMap(event => (event.kind === 'sample' ? [event.row] : []))).toEqual(rows);
    const textsAt = (step: number) => rows.filter(row => row.step === step).map(row => row.text);
    expect(textsAt(0)).toEqual(await answerAfterwards(folder, null));
    expect(textsAt(8)).toEqual(await answerAfterwards(folder, run));
    expect(textsAt(8)).not.toEqual(textsAt(0));
  });

  it.each(['whole graph', 'layer by layer'])('are answered from weights of 4 bit, %s', async shape => {
    const settings = { baseWeights: '4bit', learningRate: 0.05, alpha: 48 } as const;
    const limit = shape === 'layer by layer' ? { memoryLimitBytes: 64 * 2 ** 20 } : {};
    const run = makeRun(temporaryFolder(), { ...settings, ...limit });
    await runJob(run);
    const rows = readSamples(run);
    expect(rows).toHaveLength(6);
    expect(rows.slice(4).map(row => row.text)).not.toEqual(rows.slice(0, 2).map(row => row.text));
  });

  it('leave the training as it is without them', async () => {
    const adapter = (run: string) => readFileSync(join(run, 'adapter', 'adapter_model.safetensors'));
    const asked = makeRun(temporaryFolder());
    const silent = makeRun(temporaryFolder(), { samplePrompts: [] });
    await runJob(asked);
    await runJob(silent);
    expect(adapter(asked)).toEqual(adapter(silent));
    expect(existsSync(join(silent, 'samples.jsonl'))).toBe(false);
  });

  it('are not written when a stop cuts them short', async () => {
    const run = makeRun(temporaryFolder());
    const { end } = await runJob(run, {}, event =>
      event.kind === 'phase' && event.name === 'answering samples' && event.done === 1 ? 'stop' : undefined,
    );
    expect(end).toMatchObject({ reason: 'stopped', step: 0 });
    expect(readSamples(run).map(row => row.prompt)).toEqual(samplePrompts.slice(0, 1));
  });

  it('are answered by a model whose heads have no kernel of their own', async () => {
    const run = makeTinyRun(temporaryFolder(), {
      model: { heads: 4 },
      settings: { samplePrompts, maxSteps: 2, evalEverySteps: 2 },
    });
    await runJob(run);
    expect(readSamples(run).map(row => row.prompt)).toEqual([...samplePrompts, ...samplePrompts]);
  });

  it('are refused before anything is written for a prompt that fills the context', async () => {
    const folder = temporaryFolder();
    const settings = { samplePrompts: ['a', 'b'.repeat(300)] };
    const run = makeTinyRun(folder, { model: { heads: 2 }, settings });
    await expect(runJob(run)).rejects.toThrow('samplePrompts, prompt 2');
    expect(existsSync(join(run, 'run.json'))).toBe(false);
    expect(readdirSync(join(folder, 'store', 'datasets'))).toEqual([]);
  });
});
