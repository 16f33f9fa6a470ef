import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makePlace, runCli } from '../support/programs.ts';

const sample = fileURLToPath(new URL('../../media/sample/harbour-museum.jsonl', import.meta.url));
const totalSteps = 9000;
const settings = [
  `maxSteps=${totalSteps}`,
  'contextTokens=64',
  'batchRows=1',
  'rank=4',
  'learningRate=0.001',
  'epochs=1000',
  'evalEverySteps=500',
  'earlyStoppingPatience=0',
  'memoryLimitBytes=2000000000',
];

describe('a long run', () => {
  it('of thousands of steps on the tiny model keeps its memory flat over the last 2,000', async () => {
    const place = makePlace();
    const { code, lines } = await runCli(
      ['train', sample, '--model', 'tiny', '--runs', 'store', '--json', ...settings.flatMap(s => ['--set', s])],
      place,
    );
    expect(code).toBe(0);
    const { path } = lines.at(-1) as unknown as { path: string };
    const steps = readFileSync(join(path, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { kind: string; step: number; peakRssBytes: number })
      .filter(({ kind }) => kind === 'step');
    expect(steps).toHaveLength(totalSteps);
    const peakAt = (step: number): number => steps[step - 1]!.peakRssBytes;
    // The collector lets its heap grow over the first five thousand steps, whatever they leave behind.
    expect(peakAt(totalSteps) / peakAt(totalSteps - 2000)).toBeLessThan(1.05);
  }, 600_000);
});
