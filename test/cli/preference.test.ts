import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runRecordSchema } from '../../src/shared/recipe.ts';
import { parseMetrics } from '../../src/shared/runState.ts';
import { acceptedRun, makePlace, type Place, runCli, startTrainer } from '../support/programs.ts';
import { writeTinyModel } from '../support/tinyModel.ts';
import { tinyRequest } from '../support/tinyRequest.ts';

const preload = fileURLToPath(new URL('../support/faultPreload.mjs', import.meta.url));
const settings = ['objective=dpo', 'contextTokens=64', 'batchRows=2', 'learningRate=0.005', 'threads=1'];

/** Questions whose chosen answer follows a rule and whose rejected one does not. */
function writePreferences(place: Place, rows = 24): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const letter = String.fromCharCode(97 + (i % 26));
    return JSON.stringify({ prompt: `say ${letter} ${i}`, chosen: letter.repeat(4), rejected: `no ${i}` });
  });
  writeFileSync(join(place.folder, 'prefs.jsonl'), `${lines.join('\n')}\n`);
  return 'prefs.jsonl';
}

function trainArguments(place: Place, dataset: string, more: readonly string[] = []): string[] {
  const model = writeTinyModel(join(place.folder, 'model'));
  const sets = [...settings, ...more].flatMap(setting => ['--set', setting]);
  return ['train', dataset, '--model', model, '--runs', 'store', '--json', '--override', 'memory', ...sets];
}

const readAdapter = (run: string) => readFileSync(join(run, 'adapter', 'adapter_model.safetensors'));
const readMetrics = (run: string) => parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));

describe('tuning-fork train --set objective=dpo', () => {
  it('learns to prefer the chosen answers and writes its rewards at each step', async () => {
    const place = makePlace();
    const args = trainArguments(place, writePreferences(place), ['maxSteps=12', 'evalEverySteps=6']);
    const { code, lines, errorText } = await runCli(args, place);
    expect(errorText).toContain('read as preference');
    expect(errorText).toMatch(/chosen answer preferred in \d+ % of pairs/);
    expect(code).toBe(0);
    const { path } = lines[0] as unknown as { path: string };
    const { steps, evaluations } = readMetrics(path);
    expect(steps[0]).toMatchObject({ rewardChosen: 0, rewardRejected: 0, rewardAccuracy: 0, rewardMargin: 0 });
    expect(steps[0]!.lossNats).toBeCloseTo(Math.log(2), 6);
    expect(evaluations.map(row => row.step)).toEqual([0, 6, 12]);
    expect(evaluations.at(-1)!.evalLossNats).toBeLessThan(0.9 * evaluations[0]!.evalLossNats);
    expect(evaluations.at(-1)!.rewardAccuracy).toBeGreaterThan(0.5);
    const shown = lines.filter(line => line.type === 'evaluation');
    expect(shown.at(-1)).toEqual({
      type: 'evaluation',
      step: 12,
      evalLossNats: expect.any(Number),
      ...pickRewards(evaluations.at(-1)!),
    });
    const record = runRecordSchema.parse(JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')));
    expect(record).toMatchObject({ objective: 'dpo', datasets: [{ mapping: { kind: 'preference' } }] });
    expect(record.forecast.trainRows + record.forecast.heldOutRows).toBe(24);
  });

  it('goes on after SIGKILL to the same bytes, with the reference it had or a new one', async () => {
    const place = makePlace();
    const changes = { objective: 'dpo', maxSteps: 8, saveEverySteps: 2, evalEverySteps: 4, contextTokens: 64 } as const;
    const dataset = join(place.folder, writePreferences(place));
    const request = { ...tinyRequest(place.folder, changes), datasets: [{ path: dataset, mapping: null }] };
    const start = (env: NodeJS.ProcessEnv) =>
      startTrainer({ type: 'start', store: place.store, request, attached: false }, place, { preload, env });
    const straight = start({});
    const expected = await acceptedRun(straight);
    expect((await straight.ended).code).toBe(0);
    for (const keepsCache of [true, false]) {
      const killed = start({ FAULT_PATH: 'step-000006', FAULT_AT: '3' });
      const path = await acceptedRun(killed);
      expect((await killed.ended).signal).toBe('SIGKILL');
      if (!keepsCache) rmSync(join(path, 'cache'), { recursive: true });
      const resumed = await runCli(['resume', path, '--json'], place);
      expect(resumed.code).toBe(0);
      expect(readAdapter(path)).toEqual(readAdapter(expected));
      const losses = (run: string) => readMetrics(run).steps.map(row => [row.step, row.lossNats, row.rewardMargin]);
      expect(losses(path)).toEqual(losses(expected));
    }
  });

  it('trains every weight too', async () => {
    const place = makePlace();
    const more = ['method=full', 'learningRate=0.001', 'maxSteps=4', 'evalEverySteps=4', 'rpoAlpha=0.2'];
    const { code, lines } = await runCli(trainArguments(place, writePreferences(place), more), place);
    expect(code).toBe(0);
    const { steps } = readMetrics((lines[0] as unknown as { path: string }).path);
    expect(steps.at(-1)!.lossNats).toBeLessThan(steps[0]!.lossNats);
    expect(steps.at(-1)!.rewardMargin).toBeGreaterThan(0);
  });

  it.each([
    [
      '{"prompt":"a","chosen":"b","rejected":"c"}\n{"prompt":"a","chosen":"b","rejected":"b"}',
      [],
      2,
      /prefs\.jsonl:2: expected "chosen" and "rejected" to differ/,
    ],
    [
      '{"prompt":"a","chosen":"b","rejected":"c"}\n{"prompt":"a","chosen":"b"}',
      [],
      2,
      /prefs\.jsonl:2: expected a field "rejected"/,
    ],
    [
      '{"question":"a","answer":"b"}',
      [],
      1,
      /expected rows with prompt, chosen and rejected for the objective dpo, got questionAnswer/,
    ],
    [
      '{"prompt":"a","chosen":"b","rejected":"c"}',
      ['objective=sft'],
      1,
      /expected rows with one answer each for the objective sft, got preference/,
    ],
  ])('refuses %j and leaves nothing behind', async (content, more, line, message) => {
    const place = makePlace();
    writeFileSync(join(place.folder, 'prefs.jsonl'), content);
    const { code, lines } = await runCli(trainArguments(place, 'prefs.jsonl', more), place);
    expect(code).toBe(1);
    const error = lines.at(-1) as unknown as { code: string; message: string; hint: string; line: number };
    expect(error).toMatchObject({ type: 'error', code: 'dataset-invalid', line, hint: expect.stringMatching(/./) });
    expect(error.message).toMatch(message);
    expect(existsSync(join(place.store, 'datasets')) ? readdirSync(join(place.store, 'datasets')) : []).toEqual([]);
  });
});

const pickRewards = ({ rewardChosen, rewardRejected, rewardAccuracy, rewardMargin }: Record<string, unknown>) => ({
  rewardChosen,
  rewardRejected,
  rewardAccuracy,
  rewardMargin,
});
