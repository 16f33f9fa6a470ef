import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adapterPrefix } from '../../../../../src/core/adapter/readAdapter.ts';
import { openSafetensors } from '../../../../../src/core/formats/safetensors.ts';
import type { JobEvent } from '../../../../../src/core/jobs/jobEvents.ts';
import { readRecord } from '../../../../../src/core/runs/runFiles.ts';
import { CheckpointFolder } from '../../../../../src/core/train/checkpointFolder.ts';
import { parseMetrics } from '../../../../../src/shared/runState.ts';
import { createBigramEngine, seededRandom } from '../../../../support/bigramEngine.ts';
import { failingWrites, Killed, killedAt } from '../../../../support/faultyFileSystem.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { makeTinyRun, runJob } from '../../../../support/tinyRun.ts';

/** Learns the bytes of the tiny dataset, in a fraction of the time. */
const quick = { createEngine: async () => createBigramEngine(258) };

const readAdapterBytes = (run: string) => readFileSync(join(run, 'adapter', 'adapter_model.safetensors'));
const ofKind = <K extends JobEvent['kind']>(events: readonly JobEvent[], kind: K) =>
  events.filter((event): event is Extract<JobEvent, { kind: K }> => event.kind === kind);

describe('trainJob', () => {
  it('trains a LoRA adapter on the real engine and leaves a complete run', async () => {
    const run = makeTinyRun(temporaryFolder(), { settings: { maxSteps: 20, evalEverySteps: 10, learningRate: 0.02 } });
    const { events, end } = await runJob(run);
    expect(end).toMatchObject({ reason: 'finished', step: 20, output: join(run, 'adapter') });
    expect(end.bestEvalLossNats!).toBeLessThan(end.baseEvalLossNats!);
    const series = parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));
    expect(series.steps.map(row => row.step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(series.evaluations.map(row => row.step)).toEqual([0, 10, 20]);
    expect(ofKind(events, 'step').map(event => event.row)).toEqual(series.steps);
    expect(readdirSync(join(run, 'adapter')).sort()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'chat_template.jinja',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const record = readRecord(run)!;
    expect(record.model).toMatchObject({
      format: 'safetensors',
      modelType: 'llama',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(record.forecast).toMatchObject({ totalSteps: 20, trainRows: 36, heldOutRows: 4 });
    const { tensors } = openSafetensors(join(run, 'adapter', 'adapter_model.safetensors'));
    expect(tensors.names).toHaveLength(28);
    expect(tensors.info('base_model.model.model.layers.1.mlp.down_proj.lora_B.weight').shape).toEqual([32, 16]);
    tensors.close();
    const card = readFileSync(join(run, 'adapter', 'README.md'), 'utf8');
    expect(card).toContain(`| ${end.bestEvalLossNats!.toFixed(4)} |`);
    expect(card).toContain(record.model.sha256);
  });

  it('leaves a Hugging Face folder after full fine-tuning', async () => {
    const run = makeTinyRun(temporaryFolder(), { settings: { method: 'full', maxSteps: 4, learningRate: 0.005 } });
    const { end } = await runJob(run);
    expect(end).toMatchObject({ output: join(run, 'model') });
    expect(end.bestEvalLossNats!).toBeLessThan(end.baseEvalLossNats!);
    expect(existsSync(join(run, 'adapter'))).toBe(false);
    expect(JSON.parse(readFileSync(join(run, 'model', 'config.json'), 'utf8'))).toMatchObject({
      model_type: 'llama',
      dtype: 'float32',
    });
    const { tensors } = openSafetensors(join(run, 'model', 'model.safetensors'));
    expect(tensors.info('model.embed_tokens.weight').shape).toEqual([258, 32]);
    expect(tensors.names).not.toContain('lm_head.weight');
    tensors.close();
  });

  it('gives the same adapter for the same recipe, card included', async () => {
    const folders = [temporaryFolder(), temporaryFolder()];
    const runs: string[] = [];
    for (const folder of folders) {
      const run = makeTinyRun(folder);
      await runJob(run);
      runs.push(run);
    }
    expect(readAdapterBytes(runs[0]!)).toEqual(readAdapterBytes(runs[1]!));
    const card = (run: string) => readFileSync(join(run, 'adapter', 'README.md'), 'utf8');
    expect(card(runs[0]!)).toBe(card(runs[1]!));
  });

  it('resumes after a pause at any step to the bytes of the straight run', async () => {
    const folder = temporaryFolder();
    const straight = makeTinyRun(folder);
    cpSync(straight, `${straight}-copy`, { recursive: true });
    await runJob(straight);
    const expected = readAdapterBytes(straight);
    for (const pauseAt of [1, 2, 5]) {
      rmSync(straight, { recursive: true });
      cpSync(`${straight}-copy`, straight, { recursive: true });
      const first = await runJob(straight, {}, event =>
        event.kind === 'step' && event.row.step === pauseAt ? 'pause' : undefined,
      );
      expect(first.end).toMatchObject({ reason: 'paused', step: pauseAt });
      const second = await runJob(straight, { attempt: 2 });
      expect(ofKind(second.events, 'prepared')[0]).toMatchObject({ step: pauseAt, totalSteps: 6 });
      expect(second.end.reason).toBe('finished');
      expect(readAdapterBytes(straight)).toEqual(expected);
    }
  });

  it('loses no finished checkpoint and resumes to the same bytes, killed between saving and writing the adapter', async () => {
    const folder = temporaryFolder();
    const run = makeTinyRun(folder, { settings: { keepCheckpoints: 1, maxSteps: 2, evalEverySteps: 1 } });
    cpSync(run, `${run}-copy`, { recursive: true });
    const counting = killedAt(Number.POSITIVE_INFINITY);
    // From the first complete save on, every third operation: each single one is tested with the folders themselves.
    let first = 0;
    await runJob(run, { ...quick, fileSystem: counting }, event => {
      if (event.kind === 'checkpoint' && event.step === 1) first = counting.count();
      return undefined;
    });
    const expected = readAdapterBytes(run);
    const total = counting.count();
    expect(total - first).toBeGreaterThan(50);
    for (let at = first; at < total; at += 3) {
      rmSync(run, { recursive: true });
      cpSync(`${run}-copy`, run, { recursive: true });
      const seen: number[] = [];
      const killed = runJob(run, { ...quick, fileSystem: killedAt(at) }, event => {
        if (event.kind === 'checkpoint') seen.push(event.step);
        return undefined;
      });
      await expect(killed).rejects.toThrow(Killed);
      const left = new CheckpointFolder(join(run, 'checkpoints')).findNewest(() => undefined);
      expect(left?.step ?? 0).toBeGreaterThanOrEqual(seen.at(-1) ?? 0);
      const { end } = await runJob(run, { ...quick, attempt: 2 });
      expect(end.reason).toBe('finished');
      expect(readAdapterBytes(run)).toEqual(expected);
      expect(readdirSync(run).filter(name => /\.(tmp|new|old)$/.test(name))).toEqual([]);
    }
  }, 240_000);

  it('takes short rows and a last batch with rows to spare', async () => {
    const settings = { batchRows: 3, contextTokens: 128, packing: false, maxSteps: null, epochs: 1 };
    const { end, events } = await runJob(makeTinyRun(temporaryFolder(), { settings }));
    expect(end).toMatchObject({ reason: 'finished', step: 12 });
    expect(ofKind(events, 'step').reduce((sum, { row }) => sum + row.supervisedTokens, 0)).toBe(36 * 5);
  });

  it('says so when no evaluation is better than the base model', async () => {
    const settings = { learningRate: 1, clipNorm: 0, maxSteps: 2, evalEverySteps: 1, warmupRatio: 0 };
    const { events, end } = await runJob(makeTinyRun(temporaryFolder(), { settings }));
    expect(end.reason).toBe('finished');
    expect(end.bestEvalLossNats!).toBeGreaterThan(end.baseEvalLossNats!);
    expect(ofKind(events, 'warning').map(event => event.problem.code)).toContain('no-gain');
  });

  it('keeps the lowest-loss checkpoint as the adapter when it over-fits', async () => {
    const folder = temporaryFolder();
    // Nothing can be learned from noise but the letters it is made of: the held-out loss falls, then rises.
    const random = seededRandom(5);
    const noise = () => Array.from({ length: 12 }, () => String.fromCharCode(97 + Math.floor(26 * random()))).join('');
    const lines = Array.from({ length: 20 }, (_, i) => JSON.stringify({ question: `q${i}`, answer: noise() }));
    writeFileSync(join(folder, 'few.jsonl'), lines.join('\n'));
    const run = makeTinyRun(folder, {
      settings: {
        maxSteps: 60,
        evalEverySteps: 5,
        earlyStoppingPatience: 3,
        learningRate: 0.3,
        schedule: 'constant',
        evalRatio: 0.3,
      },
      request: { datasets: [{ path: join(folder, 'few.jsonl'), mapping: null }] },
    });
    const { end, events } = await runJob(run, quick);
    const evaluations = ofKind(events, 'evaluation')
      .map(event => event.row)
      .filter(row => row.step > 0);
    const lowest = evaluations.reduce((best, row) => (row.evalLossNats < best.evalLossNats ? row : best));
    expect(end).toMatchObject({ reason: 'stoppedEarly', bestStep: lowest.step });
    expect(end.step).toBeGreaterThan(lowest.step);
    const best = new CheckpointFolder(join(run, 'checkpoints')).find(lowest.step)!;
    const [saved, written] = [
      openSafetensors(join(best.path, 'parameters.safetensors')),
      openSafetensors(join(run, 'adapter', 'adapter_model.safetensors')),
    ];
    for (const name of ['table', 'bias'])
      expect(written.tensors.readFloat32(`${adapterPrefix}${name}`)).toEqual(saved.tensors.readFloat32(name));
    for (const { tensors } of [saved, written]) tensors.close();
  });

  it('keeps the adapter so far and what was saved when the disk is full', async () => {
    const run = makeTinyRun(temporaryFolder());
    const writes = 12;
    const job = runJob(run, { ...quick, fileSystem: failingWrites(writes, 'ENOSPC') });
    await expect(job).rejects.toMatchObject({ code: 'disk-full' });
    expect(readdirSync(join(run, 'checkpoints')).filter(name => name.endsWith('.tmp'))).toEqual([]);
    const { end } = await runJob(run, { ...quick, attempt: 2 });
    expect(end.reason).toBe('finished');
  });

  it('ends when its folder is deleted, and does not make it again', async () => {
    const run = makeTinyRun(temporaryFolder());
    const running = runJob(run, quick, event => {
      if (event.kind === 'step' && event.row.step === 3) rmSync(run, { recursive: true });
      return undefined;
    });
    await expect(running).rejects.toMatchObject({ code: 'run-invalid', file: run });
    expect(existsSync(run)).toBe(false);
  });

  it('writes the last parameters when nothing is held out', async () => {
    const run = makeTinyRun(temporaryFolder(), { settings: { evalRatio: 0 } });
    const { end } = await runJob(run, quick);
    expect(end).toMatchObject({
      reason: 'finished',
      bestStep: null,
      baseEvalLossNats: null,
      output: join(run, 'adapter'),
    });
  });

  it('leaves an adapter when it is stopped, none when it is paused before the first evaluation', async () => {
    const stopAt = (what: 'stop' | 'pause') => (event: JobEvent) => (event.kind === 'step' ? what : undefined);
    const stopped = makeTinyRun(temporaryFolder());
    expect((await runJob(stopped, quick, stopAt('stop'))).end).toMatchObject({
      reason: 'stopped',
      step: 1,
      output: join(stopped, 'adapter'),
    });
    const paused = makeTinyRun(temporaryFolder());
    expect((await runJob(paused, quick, stopAt('pause'))).end).toMatchObject({
      reason: 'paused',
      step: 1,
      output: null,
    });
  });

  it('stops while it is being prepared without having written anything', async () => {
    const run = makeTinyRun(temporaryFolder());
    const { end } = await runJob(run, { ...quick, control: { ask: () => 'stop', takeCheckpointRequest: () => false } });
    expect(end).toMatchObject({ reason: 'stopped', step: 0, output: null });
    expect(readRecord(run)).toBeUndefined();
    expect(existsSync(join(run, '..', '..', 'datasets', 'x'))).toBe(false);
    expect(readdirSync(join(run, '..', '..', 'datasets'))).toEqual([]);
  });

  it('says how far its checkpoints reach when it is stopped while it is being prepared to go on', async () => {
    const run = makeTinyRun(temporaryFolder());
    const pauseAt3 = (event: JobEvent) => (event.kind === 'step' && event.row.step === 3 ? 'pause' : undefined);
    const paused = (await runJob(run, quick, pauseAt3)).end;
    const { end } = await runJob(run, { ...quick, control: { ask: () => 'stop', takeCheckpointRequest: () => false } });
    expect(end).toEqual({ ...paused, reason: 'stopped', output: null, peakRssBytes: end.peakRssBytes });
    expect([end.step, end.bestStep]).toEqual([3, 2]);
  });

  it.each([
    ['model-not-found', (folder: string) => ({ model: join(folder, 'none') })],
    ['dataset-unreadable', (folder: string) => ({ datasets: [{ path: join(folder, 'none.jsonl'), mapping: null }] })],
    [
      'dataset-invalid',
      (folder: string) => {
        writeFileSync(join(folder, 'broken.jsonl'), '{"question":"a","answer":"b"}\n{"question":"a","ans');
        return { datasets: [{ path: join(folder, 'broken.jsonl'), mapping: null }] };
      },
    ],
  ] as const)('refuses with %s before anything is written', async (code, makeRequest) => {
    const folder = temporaryFolder();
    const run = makeTinyRun(folder, { request: makeRequest(folder) as never });
    await expect(runJob(run, quick)).rejects.toMatchObject({ code });
    expect(readRecord(run)).toBeUndefined();
    expect(readdirSync(join(run, '..', '..', 'datasets'))).toEqual([]);
  });

  it('refuses a run that does not fit the memory limit, unless told to insist', async () => {
    const folder = temporaryFolder();
    const settings = { memoryLimitBytes: 1_000_000, maxSteps: 1 };
    await expect(runJob(makeTinyRun(folder, { settings }), quick)).rejects.toMatchObject({
      code: 'memory',
      hint: expect.stringContaining('override "memory"'),
    });
    rmSync(join(folder, 'store'), { recursive: true });
    const { end } = await runJob(makeTinyRun(folder, { settings, request: { overrides: ['memory'] } }), quick);
    expect(end.reason).toBe('finished');
  });

  it('refuses to go on when the model changed, or when the folder is not the run it says', async () => {
    const folder = temporaryFolder();
    const run = makeTinyRun(folder);
    await runJob(run, quick, event => (event.kind === 'step' ? 'pause' : undefined));
    const weights = join(folder, 'model', 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(weights, bytes);
    await expect(runJob(run, { ...quick, attempt: 2 })).rejects.toMatchObject({ code: 'model-invalid' });
    const moved = join(run, '..', '20261124-093000-other-0000');
    mkdirSync(moved);
    cpSync(run, moved, { recursive: true });
    await expect(runJob(moved, { ...quick, attempt: 2 })).rejects.toMatchObject({ code: 'run-invalid' });
  });

  it('goes on from the snapshot when the dataset file is gone', async () => {
    const folder = temporaryFolder();
    const run = makeTinyRun(folder);
    await runJob(run, quick, event => (event.kind === 'step' ? 'pause' : undefined));
    rmSync(join(folder, 'rows.jsonl'));
    expect((await runJob(run, { ...quick, attempt: 2 })).end.reason).toBe('finished');
  });
});
