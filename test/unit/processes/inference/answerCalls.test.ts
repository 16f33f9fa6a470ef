import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recallTrainingMs } from '../../../../src/core/jobs/forecast/forecastTime.ts';
import { forecastRun } from '../../../../src/core/jobs/prepare/forecastRun.ts';
import { readRunData } from '../../../../src/core/jobs/prepare/runQuestions.ts';
import { readRequest } from '../../../../src/core/runs/runFiles.ts';
import { answerCalls } from '../../../../src/processes/inference/answerCalls.ts';
import type { ChatMessage, InferenceCalls, InferenceEvents } from '../../../../src/shared/inferenceProtocol.ts';
import type { RunRequest } from '../../../../src/shared/recipe.ts';
import type { Handlers } from '../../../../src/shared/rpc.ts';
import { makeTemporaryFolder } from '../../../support/temporaryFolder.ts';
import { writeTinyModel } from '../../../support/tinyModel.ts';
import { makeTinyRun, runJob } from '../../../support/tinyRun.ts';

type Event = { [K in keyof InferenceEvents]: { name: K } & InferenceEvents[K] }[keyof InferenceEvents];

const settings = { maxTokens: 12, temperature: 0, topP: 1, seed: 1 };
const messages: ChatMessage[] = [{ role: 'user', content: 'say a 0' }];
const never = new AbortController().signal;

describe('answerCalls', () => {
  const place = makeTemporaryFolder();
  const events: Event[] = [];
  let calls: Handlers<InferenceCalls>;
  let model: string;
  let run: string;
  let fullRun: string;

  beforeAll(async () => {
    model = writeTinyModel(join(place.path, 'chat'), { heads: 2 });
    const settings = { maxSteps: 8, learningRate: 0.02, evalRatio: 0.2 };
    run = makeTinyRun(join(place.path, 'a'), { request: { model }, settings });
    fullRun = makeTinyRun(join(place.path, 'b'), { request: { model }, settings: { ...settings, method: 'full' } });
    await runJob(run);
    await runJob(fullRun);
    calls = answerCalls('/nowhere', (name, payload) => events.push({ name, ...payload } as Event));
    await calls['hub/configure']({ endpoint: null, cache: null, token: null }, never);
  });
  afterAll(() => place.remove());

  const generate = (adapter: string | null, id = 'one', signal = never) =>
    calls['generation/run']({ id, model, adapter, messages, settings }, signal);
  const textOf = (id: string) =>
    events.flatMap(event => (event.name === 'generation/text' && event.id === id ? [event.text] : [])).join('');

  it('loads a model once, with progress that ends', async () => {
    const first = await calls['model/open']({ model }, never);
    expect(first).toMatchObject({ modelType: 'llama', contextTokens: 256 });
    const progress = events.filter(event => event.name === 'model/progress');
    expect(progress.at(-1)).toMatchObject({ model, phase: 'ready', done: 1, total: 1 });
    expect(progress.slice(0, -1).every(({ done, total }) => done < total)).toBe(true);
    await calls['model/open']({ model }, never);
    expect(events.filter(event => event.name === 'model/progress')).toHaveLength(progress.length);
  });

  it('streams each answer under its own id: base, adapter and a fully tuned model', async () => {
    const answers = [await generate(null, 'base'), await generate(run, 'lora'), await generate(fullRun, 'full')];
    expect(['base', 'lora', 'full'].map(textOf)).toEqual(answers.map(({ text }) => text));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(3);
    expect(Object.keys(answers[0]!).sort()).toEqual(
      ['firstTokenMs', 'outputTokens', 'promptTokens', 'stopReason', 'text', 'tokensPerSecond'].sort(),
    );
  });

  it('measures how long a run will take, which a forecast without an engine knows from then on', async () => {
    vi.stubEnv('TUNING_FORK_STATE', join(place.path, 'state'));
    const request = readRequest(run);
    const options = { tinyFolder: '/nowhere', hub: undefined, control: { ask: () => 'continue' as const } };
    const recall = (asked: RunRequest) =>
      forecastRun(asked, { ...options, onPhase: () => undefined }, async checked => recallTrainingMs(checked));
    expect((await recall(request)).trainingMs).toBeNull();
    const measured = await calls['speed/measure']({ request }, never);
    expect(measured).toMatchObject({ canStart: true, error: null });
    expect(measured.trainingMs).toBeGreaterThan(0);
    expect((await recall(request)).trainingMs).toBe(measured.trainingMs);
    const { hyperparameters } = request;
    // Twice the steps and their evaluations; another batch was not measured.
    const longer = { ...request, hyperparameters: { ...hyperparameters, maxSteps: 16 } };
    expect((await recall(longer)).trainingMs).toBeGreaterThan(measured.trainingMs!);
    const wider = { ...request, hyperparameters: { ...hyperparameters, batchRows: 3 } };
    expect((await recall(wider)).trainingMs).toBeNull();
    const unpacked = { ...request, hyperparameters: { ...hyperparameters, packing: !hyperparameters.packing } };
    expect((await recall(unpacked)).trainingMs).toBeNull();
    const onCard = { ...request, hyperparameters: { ...hyperparameters, device: 'webgpu' as const } };
    const recallOnCard = forecastRun(request, { ...options, onPhase: () => undefined }, async checked =>
      recallTrainingMs({ ...checked, request: onCard }),
    );
    expect((await recallOnCard).trainingMs).toBeNull();
    vi.unstubAllEnvs();
  });

  it('takes the folder of an adapter as well as that of its run', async () => {
    expect((await generate(join(run, 'adapter'))).text).toBe((await generate(run)).text);
  });

  it('reads an adapter again that was replaced', async () => {
    const folder = join(place.path, 'replaced');
    cpSync(join(run, 'adapter'), folder, { recursive: true });
    const before = await generate(folder);
    const other = makeTinyRun(join(place.path, 'c'), {
      request: { model },
      settings: { maxSteps: 30, learningRate: 0.05 },
    });
    await runJob(other);
    cpSync(join(other, 'adapter'), folder, { recursive: true });
    const after = await generate(folder);
    expect(after.text).toBe((await generate(other)).text);
    expect(after.text).not.toBe(before.text);
  });

  it('refuses a folder without an adapter', async () => {
    await expect(generate(place.path)).rejects.toMatchObject({ code: 'adapter-invalid' });
  });

  it('ends a cancelled answer and goes on with the next', async () => {
    const controller = new AbortController();
    const running = generate(null, 'cancelled', controller.signal);
    const waiting = generate(null, 'next');
    while (textOf('cancelled') === '') await new Promise(setImmediate);
    controller.abort();
    expect((await running).stopReason).toBe('cancelled');
    expect((await waiting).outputTokens).toBe(settings.maxTokens);
  });

  it('gives held-out rows with their references, page by page', async () => {
    const all = await calls['run/heldOut']({ run, offset: 0, count: 100 }, never);
    const { examples } = await readRunData(run);
    expect(all.total).toBe(examples.heldOut.length);
    expect(all.rows.map(({ line }) => line)).toEqual(examples.heldOut.map(({ origin }) => origin.line));
    const [row] = all.rows;
    expect(row!.messages.at(-1)!.content).toMatch(/^say [a-z] \d+$/);
    expect(row!.reference).toMatch(/^([a-z])\1{3}$/);
    const page = await calls['run/heldOut']({ run, offset: 2, count: 3 }, never);
    expect(page.rows).toEqual(all.rows.slice(2, 5));
  });

  it('finds the best prompt on training rows alone', async () => {
    const { examples } = await readRunData(run);
    const best = await calls['prompt/search']({ run, rows: 4 }, never);
    const progress = events.filter(event => event.name === 'prompt/progress');
    expect(progress.at(-1)!.done).toBe(progress.at(-1)!.total);
    const training = new Set(examples.train.map(({ origin }) => origin.line));
    expect(best.examples.every(({ line }) => training.has(line))).toBe(true);
    expect(best.scores.map(({ k }) => k)).toContain(best.chosenK);
  });

  it('cancels a search', async () => {
    const controller = new AbortController();
    const searching = calls['prompt/search']({ run, rows: 4 }, controller.signal);
    controller.abort();
    await expect(searching).rejects.toThrow('aborted');
  });
});
