/** The demo's claim, through the command line on the shipped tiny model: fine-tuning teaches what prompting cannot know. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ScoreComparison } from '../../src/core/infer/compareScores.ts';
import type { JsonLine, TrainResult } from '../../src/shared/commandLine.ts';
import { demoRecipe } from '../../src/tools/demoRecipe.mjs';
import { makePlace, type Place, runCli } from '../support/programs.ts';

const sample = fileURLToPath(new URL('../../media/sample/harbour-museum.jsonl', import.meta.url));
const settings = Object.entries(demoRecipe).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

async function runToResult(args: readonly string[], place: Place): Promise<JsonLine[]> {
  const { code, lines, errorText } = await runCli([...args, '--json'], place);
  if (code !== 0) throw new Error(`${args[0]}: exit ${code}\n${errorText}`);
  expect(lines.at(-1)).toMatchObject({ type: 'result' });
  return lines;
}

interface ComparisonResult {
  readonly scored: number;
  readonly exactMatch: { readonly base: number; readonly adapter: number };
  readonly adapterMinusBase: ScoreComparison;
}

describe('the tiny model', () => {
  it.each([
    'Hello!',
    'What do cows eat?',
    'What is a bakery?',
    'What is the opposite of old?',
    'Tell me a short story about a cat.',
    'The Quiet Swan has two masts. How many masts does the Quiet Swan have?',
  ])('answers "%s" in well-formed sentences and ends', async prompt => {
    const place = makePlace();
    const lines = await runToResult(['generate', '--model', 'tiny', '--prompt', prompt, '--temperature', '0'], place);
    const answer = lines.find(line => line.type === 'generation') as { text: string; outputTokens: number };
    expect(answer.text).toMatch(/^[A-Z][\p{L}' ,]*[.!?](?: [A-Z][\p{L}' ,]*[.!?])*$/u);
    expect(answer.outputTokens).toBeLessThan(100);
  });
});

describe('fine-tuning the tiny model on the sample dataset as the demo does', () => {
  it('lowers the held-out loss and raises token F1 on held-out questions, with 95 % confidence', async () => {
    const place = makePlace();
    const trained = await runToResult(['train', sample, '--model', 'tiny', '--runs', place.store, ...settings], place);
    const run = trained.at(-1) as unknown as TrainResult;
    expect(run.bestEvalLossNats).toBeLessThan(0.4 * run.baseEvalLossNats!);

    const compare = ['compare', '--model', 'tiny', '--adapter', run.path, '--run', run.path, '--few-shot', '2'];
    const result = (await runToResult(compare, place)).at(-1) as unknown as ComparisonResult;
    expect(result.scored).toBeGreaterThanOrEqual(40);
    expect(result.exactMatch.base).toBeLessThan(0.1);
    expect(result.exactMatch.adapter).toBeGreaterThan(0.4);
    expect(result.adapterMinusBase.low).toBeGreaterThan(0);
  });
});
