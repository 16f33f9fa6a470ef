import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { answerCalls } from '../../../../src/processes/python/answerCalls.ts';
import { defaultHyperparameters } from '../../../../src/shared/hyperparameters.ts';
import type { RunRequest } from '../../../../src/shared/recipe.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { writeTinyDataset, writeTinyModel } from '../../../support/tinyModel.ts';

const engineFolder = resolve('src/engines/pytorch');

function open() {
  const folder = temporaryFolder();
  writeTinyModel(join(folder, 'model'), { heads: 2 });
  const path = writeTinyDataset(join(folder, 'rows.jsonl'));
  const answers = answerCalls({
    place: { root: join(folder, 'python'), requirementsFolder: join(engineFolder, 'requirements'), env: { PATH: '' } },
    shipped: { engineFolder, tinyFolder: '/nowhere' },
    parentGone: new AbortController().signal,
    onProgress: () => undefined,
  });
  const request: RunRequest = {
    name: 'a "job" of mine',
    model: join(folder, 'model'),
    datasets: [{ path, mapping: null }],
    hyperparameters: { ...defaultHyperparameters, contextTokens: 48, maxSteps: 3 },
    overrides: [],
    parents: [],
  };
  const hub = { endpoint: null, cache: null, token: null };
  return {
    folder,
    answers,
    order: { request, hub, out: join(folder, 'out'), nodes: 2, gpus: 4, gpuName: 'A100-80GB' },
  };
}
const { signal } = new AbortController();

describe('job/export', () => {
  it('writes the folder that trains elsewhere, model and engine with it', async () => {
    const { answers, order } = open();
    const files = await answers['job/export'](order, signal);
    expect(files).toEqual(
      expect.arrayContaining(['train.sh', 'slurm.sh', 'skypilot.yaml', 'job.dstack.yml', 'README.txt']),
    );
    expect(parse(readFileSync(join(order.out, 'skypilot.yaml'), 'utf8'))).toMatchObject({
      num_nodes: 2,
      resources: { accelerators: 'A100-80GB:4' },
    });
    for (const path of ['model/model.safetensors', 'engine/tuning_fork_engine/__main__.py', 'store/datasets']) {
      expect(existsSync(join(order.out, path)), path).toBe(true);
    }
    expect(existsSync(join(order.out, 'store/.gitignore'))).toBe(false);
  });

  it('leaves a folder with files as it is, and nothing half-written where it fails', async () => {
    const { folder, answers, order } = open();
    await expect(answers['job/export']({ ...order, gpuName: 'H100; rm' }, signal)).rejects.toMatchObject({
      code: 'usage',
    });
    const bad = { ...order.request, model: join(folder, 'none') };
    await expect(answers['job/export']({ ...order, request: bad }, signal)).rejects.toThrow(/none/);
    expect(existsSync(order.out)).toBe(false);
    writeFileSync(join(folder, 'model', 'mine.txt'), '');
    await expect(answers['job/export']({ ...order, out: join(folder, 'model') }, signal)).rejects.toMatchObject({
      code: 'usage',
    });
    expect(existsSync(join(folder, 'model', 'mine.txt'))).toBe(true);
  });
});

describe('python/status', () => {
  it('knows of no environment where none was made', async () => {
    expect(await open().answers['python/status']({ fresh: false }, signal)).toEqual({ report: null, environments: [] });
  });
});
