import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runRecordSchema } from '../../src/shared/recipe.ts';
import { isActive } from '../../src/shared/runState.ts';
import { makePlace, type Place, runCli, startCli, waitUntil } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

const settings = ['contextTokens=48', 'batchRows=2', 'learningRate=0.01', 'threads=1', 'memoryLimitBytes=2000000000'];
const setAll = (more: readonly string[]) => [...settings, ...more].flatMap(setting => ['--set', setting]);

function trainArguments(place: Place, more: readonly string[]): string[] {
  const model = writeTinyModel(join(place.folder, 'model'));
  writeTinyDataset(join(place.folder, 'rows.jsonl'));
  return ['train', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', ...setAll(more)];
}

const readAdapter = (run: string) => readFileSync(join(run, 'adapter', 'adapter_model.safetensors'));

describe('tuning-fork train', () => {
  it('prints the run first, then what happens, then the result, one JSON object a line', async () => {
    const place = makePlace();
    const { code, lines } = await runCli(trainArguments(place, ['maxSteps=4', 'evalEverySteps=2']), place);
    expect(code).toBe(0);
    const types = lines.map(line => line.type).filter(type => type !== 'progress');
    expect(types).toEqual([
      'run',
      'evaluation',
      'step',
      'step',
      'evaluation',
      'checkpoint',
      'step',
      'step',
      'evaluation',
      'checkpoint',
      'result',
    ]);
    const [run, result] = [lines[0]!, lines.at(-1)!] as unknown as {
      path: string;
      output: string;
      peakRssBytes: number;
    }[];
    expect(run!.path.startsWith(join(place.store, 'runs'))).toBe(true);
    expect(result).toMatchObject({
      path: run!.path,
      output: join(run!.path, 'adapter'),
      steps: 4,
      baseEvalLossNats: expect.any(Number),
      bestEvalLossNats: expect.any(Number),
      bestStep: 4,
      stoppedEarly: false,
    });
    expect(result!.peakRssBytes).toBeGreaterThan(20e6);
    expect(JSON.parse(readFileSync(join(run!.path, 'status.json'), 'utf8'))).toMatchObject({
      state: 'finished',
      identity: null,
    });
    expect(readdirSync(run!.path).sort()).toEqual([
      'adapter',
      'checkpoints',
      'device.json',
      'log.txt',
      'metrics.jsonl',
      'notes.json',
      'request.json',
      'run.json',
      'status.json',
    ]);
    expect(readdirSync(join(place.env.TUNING_FORK_STATE!, 'processes'))).toEqual([]);
  });

  it('trains on 8-bit base weights, and goes on from a pause to the same adapter', async () => {
    const place = makePlace();
    const more = ['maxSteps=6', 'evalEverySteps=3', 'baseWeights=8bit', 'samplePrompts=Who are you?'];
    const straight = await runCli(trainArguments(place, more), place);
    expect(straight.code).toBe(0);
    const run = straight.lines[0] as unknown as { path: string };
    const record = runRecordSchema.parse(JSON.parse(readFileSync(join(run.path, 'run.json'), 'utf8')));
    expect(record.forecast.baseWeights).toBe('8bit');
    const float = await runCli(trainArguments(place, ['maxSteps=6', 'evalEverySteps=3', 'baseWeights=float32']), place);
    const [a, b] = [straight, float].map(({ lines }) => lines.at(-1) as unknown as { bestEvalLossNats: number });
    expect(a!.bestEvalLossNats).not.toBe(b!.bestEvalLossNats);
    expect(Math.abs(a!.bestEvalLossNats / b!.bestEvalLossNats - 1)).toBeLessThan(0.01);

    // Without its last checkpoint and adapter the run has to go on from the one before.
    rmSync(join(run.path, 'checkpoints', 'step-000006'), { recursive: true });
    const adapter = readAdapter(run.path);
    const status = join(run.path, 'status.json');
    writeFileSync(status, JSON.stringify({ ...JSON.parse(readFileSync(status, 'utf8')), state: 'stopped', step: 3 }));
    const resumed = await runCli(['resume', run.path, '--json'], place);
    expect(resumed.code).toBe(0);
    expect(resumed.lines.filter(({ type }) => type === 'step')).toHaveLength(3);
    expect(readAdapter(run.path)).toEqual(adapter);
  });

  it('makes the same adapter again from its recipe', async () => {
    const place = makePlace();
    const first = await runCli(trainArguments(place, ['maxSteps=3', 'seed=7']), place);
    const path = (first.lines[0] as { path: string }).path;
    const again = await runCli(['train', '--recipe', join(path, 'run.json'), '--runs', 'store', '--json'], place);
    expect(again.code).toBe(0);
    const second = (again.lines[0] as { path: string }).path;
    expect(second).not.toBe(path);
    expect(readAdapter(second)).toEqual(readAdapter(path));
    const recipe = runRecordSchema.parse(JSON.parse(readFileSync(join(second, 'run.json'), 'utf8')));
    expect(recipe.hyperparameters).toMatchObject({ seed: 7, maxSteps: 3 });
  });

  it('stops at Ctrl-C with a checkpoint and exit code 130, and goes on to the bytes of the straight run', async () => {
    const place = makePlace();
    const args = trainArguments(place, ['maxSteps=800', 'evalEverySteps=200']);
    const straight = await runCli(args, place);
    const child = startCli(args, place);
    await waitUntil('a step', () => child.lines.find(line => line.type === 'step' && line.step >= 3));
    child.process.kill('SIGINT');
    const { code, lines, errorText } = await child.ended;
    expect(code).toBe(130);
    expect(lines.at(-1)).toMatchObject({ type: 'checkpoint' });
    const run = (lines[0] as { path: string }).path;
    expect(errorText).toContain(`Go on with: tuning-fork resume ${run}`);
    const status = JSON.parse(readFileSync(join(run, 'status.json'), 'utf8')) as { state: string; step: number };
    expect(status.state).toBe('stopped');
    expect(status.step).toBeLessThan(800);
    const resumed = await runCli(['resume', run, '--json'], place);
    expect(resumed.code).toBe(0);
    expect(resumed.lines.at(-1)).toMatchObject({ type: 'result', steps: 800 });
    expect(readAdapter(run)).toEqual(readAdapter((straight.lines[0] as { path: string }).path));
  });

  it.runIf(process.platform === 'linux')(
    'ends with 130 at a Ctrl-C before the trainer has said anything, and leaves nothing that seems to run',
    async () => {
      const place = makePlace();
      const child = startCli(trainArguments(place, ['maxSteps=2000']), place);
      const { pid } = child.process;
      // The trainer has only just begun to load.
      await waitUntil('the trainer', () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() !== '');
      child.process.kill('SIGINT');
      const { code, lines, errorText } = await child.ended;
      expect([code, errorText]).toEqual([130, '']);
      expect(lines).toEqual([]);
      const shown = await runCli(['runs', '--runs', 'store', '--json'], place);
      expect(shown.lines.at(-1)).toMatchObject({ type: 'result', runs: [] });
    },
  );

  it('pauses with a checkpoint when its parent is killed', async () => {
    const place = makePlace();
    const child = startCli(trainArguments(place, ['maxSteps=2000', 'evalEverySteps=1000']), place);
    await waitUntil('a step', () => child.lines.some(line => line.type === 'step'));
    child.process.kill('SIGKILL');
    const run = (child.lines[0] as { path: string }).path;
    const status = () => JSON.parse(readFileSync(join(run, 'status.json'), 'utf8')) as { state: never; step: number };
    await waitUntil('the pause', () => !isActive(status().state));
    expect(status()).toMatchObject({ state: 'paused', identity: null });
    expect(readdirSync(join(run, 'checkpoints'))).toEqual([`step-${String(status().step).padStart(6, '0')}`]);
  });
});

describe('wrong usage', () => {
  it.each([
    [['train', 'rows.jsonl'], '--model: expected a value'],
    [
      ['train', 'rows.jsonl', '--model', 'tiny', '--set', 'rank=0'],
      '--set rank: expected a whole number from 1 to 512, got 0',
    ],
    [
      ['train', 'rows.jsonl', '--model', 'tiny', '--set', 'rank=many'],
      '--set rank: expected a whole number from 1 to 512, got "many"',
    ],
    [
      ['train', 'rows.jsonl', '--model', 'tiny', '--set', 'schedule=zigzag'],
      '--set schedule: expected one of cosine, linear, constant',
    ],
    [['train', 'rows.jsonl', '--model', 'tiny', '--set', 'speed=9'], '--set speed: expected one of '],
    [['train', 'rows.jsonl', '--model', 'tiny', '--override', 'gravity'], '--override: expected one of mask'],
    [['train', 'rows.jsonl', '--model', 'tiny', '--mapping', 'riddle'], 'mapping: expected one of'],
    [['train', '--recipe', 'none.json'], '--recipe none.json: expected the run.json of a run, got ENOENT'],
    [['train', 'a', 'b', '--model', 'tiny'], '"b": expected at most 1 arguments'],
    [['train', 'rows.jsonl', '--modell', 'tiny'], "Unknown option '--modell'"],
    [['frobnicate'], 'command: expected one of'],
    [['train', 'rows.jsonl', '--model', ''], '--model: expected tiny'],
    [['train', 'rows.jsonl', '--model', 'tiny', '--name', 'n'.repeat(121)], '--name: expected 1 to 120 characters'],
  ])('%j ends with exit code 2 and says what was expected', async (args, message) => {
    const place = makePlace();
    const { code, lines } = await runCli([...args, '--json'], place);
    expect(code).toBe(2);
    expect(lines).toEqual([
      expect.objectContaining({ type: 'error', code: 'usage', message: expect.stringContaining(message) }),
    ]);
    expect(readdirSync(place.folder)).toEqual([]);
  });
});

describe('bad input', () => {
  const goodRow = '{"question":"a","answer":"b"}\n';
  it.each([
    ['a broken JSON line', 'dataset-invalid', `${goodRow}{"question":"a","ans`, 2],
    ['missing fields', 'dataset-invalid', `${goodRow}{"question":"a"}\n`, 2],
    ['an empty file', 'dataset-empty', '', undefined],
    ['what is no text', 'dataset-unreadable', Buffer.from('PK\x03\x04\0\0\0\0{"question":"a"}\n', 'latin1'), undefined],
    ['no assistant text', 'dataset-empty', '{"messages":[{"role":"user","content":"a"}]}\n', 1],
  ])('%s is named with its file, and no run is left', async (_name, code, content, line) => {
    const place = makePlace();
    const args = trainArguments(place, ['maxSteps=1']);
    const file = join(place.folder, 'rows.jsonl');
    writeFileSync(file, content);
    const result = await runCli(args, place);
    expect(result.code).toBe(1);
    const error = result.lines.at(-1)!;
    expect(error).toMatchObject({
      type: 'error',
      code,
      file,
      hint: expect.stringMatching(/\w/),
      ...(line === undefined ? {} : { line }),
    });
    expect(result.errorText).toContain(file);
    expect(readdirSync(join(place.store, 'runs'))).toEqual([]);
    expect(readdirSync(join(place.store, 'datasets'))).toEqual([]);
  });

  it.each([
    ['model-not-found', (model: string) => `${model}-of-dreams`],
    [
      'model-invalid',
      (model: string) => {
        truncateSync(join(model, 'model.safetensors'), 5000);
        return model;
      },
    ],
    [
      'model-invalid',
      (model: string) => {
        const hostile = Buffer.alloc(64);
        hostile.writeBigUInt64LE(2n ** 60n);
        writeFileSync(join(model, 'model.safetensors'), hostile);
        return model;
      },
    ],
    [
      'model-unsupported',
      (model: string) => {
        const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as object;
        writeFileSync(join(model, 'config.json'), JSON.stringify({ ...config, model_type: 'mamba' }));
        return model;
      },
    ],
    [
      'model-invalid',
      (model: string) => {
        writeFileSync(`${model}.gguf`, Buffer.concat([Buffer.from('GGUF\x03\0\0\0'), Buffer.alloc(40, 0x7f)]));
        return `${model}.gguf`;
      },
    ],
  ] as const)('%s is said before anything is trained, and no run is left', async (code, spoil) => {
    const place = makePlace();
    const model = spoil(writeTinyModel(join(place.folder, 'model')));
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const result = await runCli(
      ['train', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', ...setAll([])],
      place,
    );
    expect(result.lines.at(-1)).toMatchObject({ type: 'error', code, hint: expect.stringMatching(/\w/) });
    expect(result.code).toBe(1);
    expect(readdirSync(join(place.store, 'runs'))).toEqual([]);
    expect(readdirSync(join(place.store, 'datasets'))).toEqual([]);
  });

  it('a place that cannot be written is named', async () => {
    const place = makePlace();
    const args = trainArguments(place, ['maxSteps=1']);
    writeFileSync(join(place.folder, 'store'), 'a file where a folder should be');
    const result = await runCli(args, place);
    expect(result.code).toBe(1);
    expect(result.lines).toEqual([expect.objectContaining({ type: 'error', code: 'not-writable' })]);
  });

  it('weights that are not finite end the run as failed, with the step and the likely cause', async () => {
    const place = makePlace();
    const args = trainArguments(place, ['maxSteps=3']);
    const weights = join(place.folder, 'model', 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes.writeFloatLE(Number.NaN, bytes.length - 8);
    writeFileSync(weights, bytes);
    const { code, lines } = await runCli(args, place);
    expect(code).toBe(1);
    const error = {
      code: 'not-finite',
      message: 'step 0: expected a finite held-out loss, got NaN',
      hint: expect.stringContaining('model file'),
    };
    expect(lines.at(-1)).toMatchObject({ type: 'error', ...error });
    const run = (lines[0] as { path: string }).path;
    expect(JSON.parse(readFileSync(join(run, 'status.json'), 'utf8'))).toMatchObject({ state: 'failed', error });
    expect(existsSync(join(run, 'adapter'))).toBe(false);
  });
});
