import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePlace, runCli } from '../support/programs.ts';
import { writeTinyDataset } from '../support/tinyModel.ts';

describe('tuning-fork cache', () => {
  it('lists the weights that a run rounded to 4 bit, and clears them', async () => {
    const place = makePlace();
    const env = {
      ...place.env,
      TUNING_FORK_CACHE: join(place.folder, 'caches'),
      HF_HUB_CACHE: join(place.folder, 'hub'),
    };
    const cached = { ...place, env };
    const dataset = writeTinyDataset(join(place.folder, 'data.jsonl'));
    const settings = ['baseWeights=4bit', 'maxSteps=1', 'contextTokens=128', 'evalRatio=0'].flatMap(s => ['--set', s]);
    const trained = await runCli(['train', dataset, '--model', 'tiny', ...settings, '--json'], cached);
    expect(trained.code).toBe(0);
    const listed = (await runCli(['cache', '--json'], cached)).lines.at(-1);
    expect(listed).toMatchObject({
      type: 'result',
      rounded: { files: [{ bytes: expect.any(Number) }], cleared: false },
    });
    const folder = join(env.TUNING_FORK_CACHE, 'weights');
    expect(readdirSync(folder)).toHaveLength(1);
    const cleared = (await runCli(['cache', '--clear', '--json'], cached)).lines.at(-1);
    expect(cleared).toMatchObject({ rounded: { cleared: true } });
    expect(readdirSync(folder)).toEqual([]);
  });
});
