import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes, type JsonLine } from '../../src/shared/commandLine.ts';
import { makeAnsweringRun } from '../support/answeringRun.ts';
import { runCli } from '../support/programs.ts';

type Evaluated = Extract<JsonLine, { type: 'evaluation' }>;

const evaluated = (lines: readonly JsonLine[]) => lines.filter((line): line is Evaluated => line.type === 'evaluation');

describe('tuning-fork eval', () => {
  it('gives the losses of base and adapter that training measured', async () => {
    const { place, model, run, baseEvalLossNats, bestEvalLossNats } = await makeAnsweringRun();
    const { code, lines } = await runCli(
      ['eval', '--model', model, '--adapter', run, '--run', run, '--split', 'heldOut', '--json'],
      place,
    );
    expect(code).toBe(0);
    const [base, tuned] = evaluated(lines);
    expect(base).not.toHaveProperty('adapter');
    expect(base!.evalLossNats).toBeCloseTo(baseEvalLossNats, 6);
    expect(tuned).toMatchObject({ adapter: run });
    expect(tuned!.evalLossNats).toBeCloseTo(bestEvalLossNats, 5);
    expect(tuned!.perplexity).toBeCloseTo(Math.exp(bestEvalLossNats), 3);
    expect(lines.at(-1)).toMatchObject({ type: 'result', rows: 8 });
  });

  it('measures a fully tuned model in place of the base', async () => {
    const { place, run, bestEvalLossNats } = await makeAnsweringRun({ method: 'full', learningRate: 0.01 });
    const { lines } = await runCli(['eval', '--adapter', run, '--run', run, '--json'], place);
    expect(evaluated(lines)[1]!.evalLossNats).toBeCloseTo(bestEvalLossNats, 5);
  });

  it('measures several adapters on a dataset', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const adapters = ['--adapter', run, '--adapter', join(run, 'adapter')];
    const { code, lines } = await runCli(
      ['eval', join(place.folder, 'rows.jsonl'), '--model', model, ...adapters, '--json'],
      place,
    );
    expect(code).toBe(0);
    const losses = evaluated(lines);
    expect(losses.map(({ adapter }) => adapter)).toEqual([undefined, run, join(run, 'adapter')]);
    expect(losses[1]!.evalLossNats).toBe(losses[2]!.evalLossNats);
    expect(lines.at(-1)).toMatchObject({ type: 'result', rows: 40 });
  });

  it('measures the base with examples in front, the same answers', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const { code, lines } = await runCli(['eval', '--model', model, '--run', run, '--few-shot', '2', '--json'], place);
    expect(code).toBe(0);
    const [plain, prompted] = evaluated(lines);
    expect(prompted).toMatchObject({ fewShot: 2 });
    expect(prompted!.evalLossNats).not.toBe(plain!.evalLossNats);
    const { results } = lines.at(-1) as unknown as { results: { supervisedTokens: number }[] };
    expect(results[1]!.supervisedTokens).toBe(results[0]!.supervisedTokens);
  });

  it('refuses to measure on training rows and to run without data', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const train = await runCli(['eval', '--model', model, '--run', run, '--split', 'train', '--json'], place);
    expect(train.code).toBe(exitCodes.usage);
    const nothing = await runCli(['eval', '--model', model, '--json'], place);
    expect(nothing.code).toBe(exitCodes.usage);
    const empty = await runCli(['eval', '--model', model, '--run', run, '--split', 'test', '--json'], place);
    expect(empty.code).toBe(exitCodes.failed);
    expect(empty.lines.at(-1)).toMatchObject({ type: 'error', code: 'dataset-empty' });
  });
});
