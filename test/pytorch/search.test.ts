/** A search whose trials are runs of the PyTorch engine. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { studySnapshotSchema } from '../../src/shared/studySnapshot.ts';
import { runCli } from '../support/programs.ts';
import { makePytorchPlace, trainArguments } from './pytorchRuns.ts';

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

describe('a search on the PyTorch engine', () => {
  it('runs its trials there, hears their evaluations and judges the best on rows that none of them saw', async () => {
    const place = makePytorchPlace();
    const [, ...train] = trainArguments({ maxSteps: 4, evalEverySteps: 2, targetModules: 'q_proj' });
    const search = ['--trials', '2', '--parallel', '1', '--pruner', 'none', '--space', 'learningRate=0.001..0.02:log'];
    const { code, lines, errorText } = await runCli(['search', ...train, ...search], place);
    expect(code, errorText).toBe(0);
    const { path } = lines[0] as unknown as { path: string };
    const { trials, winner, tokens } = studySnapshotSchema.parse(readJson(join(path, 'study.json')));
    expect(trials.map(({ state }) => state)).toEqual(['complete', 'complete']);
    expect(tokens).toBeGreaterThan(0);
    for (const { run, curve, value } of trials) {
      const record = readJson(join(place.store, 'runs', run!, 'run.json'));
      expect(record).toMatchObject({ engine: 'pytorch', hyperparameters: { engine: 'pytorch' } });
      expect(curve.map(([percent]) => percent)).toEqual([50, 100]);
      expect(value).toBe(Math.min(...curve.map(([, loss]) => loss)));
    }
    const best = Math.min(...trials.map(({ value }) => value!));
    const result = lines.at(-1) as unknown as { value: number; output: string; testLossNats: number };
    expect(result.value).toBe(best);
    // So few steps and rows need not lower the loss; the embedded engine must measure the same.
    const trial = join(place.store, 'runs', trials.find(({ value }) => value === best)!.run!);
    const measured = await runCli(
      ['eval', '--model', 'model', '--adapter', result.output, '--run', trial, '--split', 'test', '--json'],
      place,
    );
    const losses = measured.lines.flatMap(line => (line.type === 'evaluation' ? [Number(line.evalLossNats)] : []));
    expect(losses, measured.errorText).toHaveLength(2);
    expect(losses[0]).toBeCloseTo(winner!.baseTestLossNats!, 4);
    expect(losses[1]).toBeCloseTo(result.testLossNats, 4);
    expect(existsSync(join(result.output, 'adapter_model.safetensors'))).toBe(true);
  });
});
