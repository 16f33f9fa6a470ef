import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/shared/commandLine.ts';
import { makeAnsweringRun } from '../support/answeringRun.ts';
import { makePlace, runCli, startCli, waitUntil } from '../support/programs.ts';
import { writeTinyModel } from '../support/tinyModel.ts';

describe('tuning-fork generate', () => {
  it('answers with base and adapter, as JSON lines that end with the result', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const ask = ['generate', '--prompt', 'say a 1', '--max-tokens', '8', '--json'];
    const base = await runCli([...ask, '--model', model], place);
    const tuned = await runCli([...ask, '--model', model, '--adapter', run], place);
    expect([base.code, tuned.code]).toEqual([0, 0]);
    const lines = [base, tuned].map(({ lines }) => lines.filter(({ type }) => type === 'generation'));
    expect(lines.map(list => list.length)).toEqual([1, 1]);
    expect(lines[0]![0]).toMatchObject({ kind: 'base', adapter: null, prompt: 'say a 1', outputTokens: 8 });
    expect(lines[1]![0]).toMatchObject({ kind: 'adapter', adapter: run });
    const text = (i: number) => (lines[i]![0] as { text: string }).text;
    expect(text(0)).not.toBe(text(1));
    expect(base.lines.at(-1)).toMatchObject({ type: 'result', text: text(0), stopReason: 'length' });
  });

  it('takes the base model from the run, and a run by its id', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const ask = ['generate', '--prompt', 'say a 1', '--max-tokens', '8', '--json'];
    const named = await runCli([...ask, '--model', model, '--adapter', run], place);
    const byId = await runCli([...ask, '--adapter', run.split('/').at(-1)!, '--runs', place.store], place);
    const answer = ({ lines }: typeof named) => (lines.at(-1) as { text?: string }).text;
    expect(answer(byId)).toBe(answer(named));
    expect(answer(byId)).toBeDefined();
  });

  it('adds up adapters that are joined by a plus sign', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const ask = ['generate', '--prompt', 'say a 1', '--max-tokens', '8', '--json', '--model', model, '--adapter'];
    const sum = await runCli([...ask, `${run}+${join(run, 'adapter')}`], place);
    expect(sum.lines.at(-1)).toMatchObject({ type: 'result', adapter: `${run}+${join(run, 'adapter')}` });
    const missing = await runCli([...ask, `${run}+nowhere`], place);
    expect(missing.code).not.toBe(0);
    expect(missing.lines.at(-1)).toMatchObject({ type: 'error', code: 'run-invalid' });
  });

  it('answers with the model that full fine-tuning left', async () => {
    const { place, model, run } = await makeAnsweringRun({ method: 'full', learningRate: 0.01 });
    const ask = ['generate', '--prompt', 'say a 1', '--max-tokens', '8', '--json', '--model'];
    const viaRun = await runCli([...ask, model, '--adapter', run], place);
    const alone = await runCli([...ask, join(run, 'model')], place);
    expect((viaRun.lines.at(-1) as { text?: string }).text).toBe((alone.lines.at(-1) as { text?: string }).text);
    expect(alone.code).toBe(0);
  });

  it('repeats a drawn answer with its seed', async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'chat'), { heads: 2 });
    const draw = async (seed: number) => {
      const args = ['--temperature', '1', '--seed', `${seed}`, '--max-tokens', '16', '--json'];
      const { lines } = await runCli(['generate', '--model', model, '--prompt', 'say a 1', ...args], place);
      return (lines.at(-1) as { text?: string }).text;
    };
    expect(await draw(1)).toBe(await draw(1));
    expect(await draw(2)).not.toBe(await draw(1));
  });

  it('says what is wrong and ends with the exit code for it', async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'chat'), { heads: 2 });
    const withoutPrompt = await runCli(['generate', '--model', model, '--json'], place);
    expect(withoutPrompt.code).toBe(exitCodes.usage);
    expect(withoutPrompt.lines.at(-1)).toMatchObject({ type: 'error', code: 'usage' });
    const ask = ['generate', '--prompt', 'say a 1', '--json', '--model'];
    const withoutAdapter = await runCli([...ask, model, '--adapter', place.folder], place);
    expect(withoutAdapter.code).toBe(exitCodes.failed);
    expect(withoutAdapter.lines.at(-1)).toMatchObject({ type: 'error', code: 'adapter-invalid', file: place.folder });
    const withoutModel = await runCli([...ask, './nothing'], place);
    expect(withoutModel.lines.at(-1)).toMatchObject({ type: 'error', code: 'model-not-found' });
  });

  it('refuses an adapter of another base model', async () => {
    const { place, run } = await makeAnsweringRun();
    const wider = writeTinyModel(join(place.folder, 'wider'), { heads: 4, hiddenSize: 64 });
    const { code, lines } = await runCli(
      ['generate', '--model', wider, '--adapter', run, '--prompt', 'say a 1', '--json'],
      place,
    );
    expect(code).toBe(exitCodes.failed);
    expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'adapter-invalid' });
  });

  it('ends with 130 at Ctrl-C, with the answer so far', async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'chat'), { heads: 2, layers: 24 });
    const child = startCli(['generate', '--model', model, '--prompt', 'say', '--max-tokens', '200', '--json'], place);
    await waitUntil('the model', () => child.lines.some(line => line.type === 'progress' && line.phase === 'ready'));
    child.process.kill('SIGINT');
    const { code, lines } = await child.ended;
    expect(code).toBe(exitCodes.interrupted);
    expect(lines.some(({ type }) => type === 'result')).toBe(false);
  });
});
