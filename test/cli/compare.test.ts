import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRunData } from '../../src/core/jobs/prepare/runQuestions.ts';
import { exitCodes, type JsonLine } from '../../src/shared/commandLine.ts';
import { tokenF1 } from '../../src/shared/tokenF1.ts';
import { makeAnsweringRun } from '../support/answeringRun.ts';
import { runCli } from '../support/programs.ts';

type Generated = Extract<JsonLine, { type: 'generation' }>;

const generated = (lines: readonly JsonLine[]) => lines.filter((line): line is Generated => line.type === 'generation');
const short = ['--max-tokens', '6', '--json'];

describe('tuning-fork compare', () => {
  it('asks base, prompted base and adapter what the run held out, and says who answers better', async () => {
    const { place, model, run } = await makeAnsweringRun({ maxSteps: 60, learningRate: 0.05, evalEverySteps: 30 });
    const { code, lines, errorText } = await runCli(
      ['compare', '--model', model, '--adapter', run, '--run', run, ...short],
      place,
    );
    expect(errorText).toContain('Best prompt');
    expect(code).toBe(0);
    const { examples } = await readRunData(run);
    const answers = generated(lines);
    expect(answers).toHaveLength(3 * examples.heldOut.length);
    expect(answers.slice(0, 3).map(({ kind }) => kind)).toEqual(['base', 'prompted', 'adapter']);
    expect(answers.slice(0, 3).map(({ adapter }) => adapter)).toEqual([null, null, run]);
    const result = lines.at(-1) as unknown as {
      type: string;
      questions: number;
      tokenF1: Record<string, number>;
      adapterMinusBase: { difference: number; low: number; high: number; wins: number; ties: number; losses: number };
      adapterMinusPrompted: { difference: number };
      prompt: { examples: { line: number }[]; scores: { k: number }[] };
    };
    expect(result).toMatchObject({
      type: 'result',
      questions: examples.heldOut.length,
      scored: examples.heldOut.length,
    });
    for (const kind of ['base', 'prompted', 'adapter']) {
      const scores = answers.filter(a => a.kind === kind).map(a => tokenF1(a.text, a.reference!));
      expect(result.tokenF1[kind]).toBeCloseTo(scores.reduce((sum, score) => sum + score, 0) / scores.length, 10);
    }
    const { difference, low, high, wins, ties, losses } = result.adapterMinusBase;
    expect(difference).toBeCloseTo(result.tokenF1.adapter! - result.tokenF1.base!, 10);
    expect(low <= difference && difference <= high).toBe(true);
    expect(wins + ties + losses).toBe(examples.heldOut.length);
    const training = new Set(examples.train.map(({ origin }) => origin.line));
    expect(result.prompt.examples.every(({ line }) => training.has(line))).toBe(true);
  });

  it('asks a file of prompts, with the number of examples and the system text that are given', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const file = join(place.folder, 'prompts.jsonl');
    writeFileSync(file, '{"prompt": "say b 1"}\n"say c 2"\n{"messages": [{"role": "user", "content": "say d 3"}]}\n');
    const { code, lines } = await runCli(
      ['compare', file, '--model', model, '--adapter', run, '--few-shot', '2', '--system', 'Say it.', ...short],
      place,
    );
    expect(code).toBe(0);
    const answers = generated(lines);
    expect(answers.map(({ prompt }) => prompt)).toEqual(
      [1, 2, 3].flatMap(i => new Array(3).fill(`say ${' bcd'[i]} ${i}`)),
    );
    expect(answers.every(answer => !('reference' in answer))).toBe(true);
    const result = lines.at(-1) as unknown as { prompt: { system: string; examples: unknown[] } };
    expect(result).toMatchObject({ type: 'result', questions: 3, scored: 0, prompt: { system: 'Say it.' } });
    expect(result.prompt.examples).toHaveLength(2);
    expect(result).not.toHaveProperty('tokenF1');
  });

  it('compares base and adapter alone where there is nothing to make a prompt from', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const file = join(place.folder, 'prompts.jsonl');
    writeFileSync(file, '{"question": "say b 1", "answer": "bbbb"}\n{"question": "say c 2", "answer": "cccc"}\n');
    const adapter = join(run, 'adapter');
    const { lines, errorText } = await runCli(
      ['compare', file, '--model', model, '--adapter', adapter, ...short],
      place,
    );
    expect(errorText).toContain('No prompted answers');
    expect(generated(lines).map(({ kind }) => kind)).toEqual(['base', 'adapter', 'base', 'adapter']);
    expect(lines.at(-1)).toMatchObject({ type: 'result', scored: 2, prompt: null });
  });

  it('names file and line of a prompt that cannot be read', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const file = join(place.folder, 'prompts.jsonl');
    writeFileSync(file, '{"prompt": "say b 1"}\n{"colour": "blue"}\n');
    const { code, lines } = await runCli(['compare', file, '--model', model, '--adapter', run, ...short], place);
    expect(code).toBe(exitCodes.failed);
    expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'dataset-invalid', file, line: 2 });
  });

  it('wants prompts or a run, not both and not neither', async () => {
    const { place, model, run } = await makeAnsweringRun();
    const args = ['compare', '--model', model, '--adapter', run, '--json'];
    for (const more of [[], ['prompts.jsonl', '--run', run]]) {
      const { code, lines } = await runCli([...args, ...more], place);
      expect(code).toBe(exitCodes.usage);
      expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'usage' });
    }
  });
});
