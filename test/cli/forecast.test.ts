import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePlace, runCli } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

describe('tuning-fork forecast', () => {
  const ask = async (...settings: string[]) => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'model'));
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const set = ['contextTokens=48', 'threads=1', ...settings].flatMap(setting => ['--set', setting]);
    const { code, lines } = await runCli(['forecast', 'rows.jsonl', '--model', model, '--json', ...set], place);
    expect(code).toBe(0);
    return lines.at(-1) as unknown as {
      type: string;
      canStart: boolean;
      trainingMs: number | null;
      fit: object | null;
    };
  };

  it('measures how long training will take, and twice the steps take longer', async () => {
    const short = await ask('maxSteps=50', 'evalEverySteps=50');
    const long = await ask('maxSteps=5000', 'epochs=1000', 'evalEverySteps=5000');
    expect(short).toMatchObject({ type: 'result', canStart: true, fit: null });
    expect(short.trainingMs).toBeGreaterThan(0);
    expect(long.trainingMs).toBeGreaterThan(10 * short.trainingMs!);
  });

  it('measures preference tuning and distillation too, whose first pass over the data counts', async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'model'));
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const pairs = Array.from({ length: 24 }, (_, i) =>
      JSON.stringify({ prompt: `say ${i}`, chosen: `yes ${i}`, rejected: `no ${i}` }),
    );
    writeFileSync(join(place.folder, 'pairs.jsonl'), `${pairs.join('\n')}\n`);
    for (const [dataset, ...objective] of [
      ['pairs.jsonl', '--set', 'objective=dpo'],
      ['rows.jsonl', '--set', 'objective=distill', '--teacher', model],
    ] as const) {
      const set = ['contextTokens=48', 'threads=1', 'maxSteps=4'].flatMap(setting => ['--set', setting]);
      const { code, lines } = await runCli(
        ['forecast', dataset, '--model', model, '--json', ...objective, ...set],
        place,
      );
      expect(code, dataset).toBe(0);
      expect((lines.at(-1) as unknown as { trainingMs: number | null }).trainingMs, dataset).toBeGreaterThan(0);
    }
  });

  it('proposes what would fit a memory limit, and measures nothing that cannot start', async () => {
    const { peakMemoryBytes } = (await ask('batchRows=1')) as unknown as { peakMemoryBytes: number };
    const report = await ask('batchRows=1024', `memoryLimitBytes=${Math.ceil(1.05 * peakMemoryBytes)}`);
    expect(report).toMatchObject({ canStart: false, trainingMs: null });
    expect(report.fit).toMatchObject({ gradientAccumulation: expect.any(Number) });
  });
});
