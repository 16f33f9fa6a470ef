/** An exported ONNX model in transformers.js as users install it, beside the engine's own answers. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readAdapter } from '../../src/core/adapter/readAdapter.ts';
import { makeAdapterInputs } from '../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../src/core/infer/decodingSession.ts';
import { findLargest } from '../../src/core/infer/findLargest.ts';
import { exportTuned } from '../../src/core/jobs/export/exportTuned.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyAdapter, writeTinyChatModel } from '../support/tinyChatModel.ts';

it('answers a batch of prompts of unequal length with the greedy tokens of the tuned model', async () => {
  const folder = temporaryFolder();
  const model = writeTinyChatModel(join(folder, 'base'));
  const adapter = writeTinyAdapter(join(folder, 'adapter'));
  const request = { paths: [adapter], model, format: 'onnx', dtype: null, out: join(folder, 'onnx') } as const;
  const { path, check } = await exportTuned(request, { models: { tinyFolder: '' } });
  expect(check.tool).toBe('transformers.js');
  const prompts = ['a longer question about 12 things', 'short'];
  const script = join(import.meta.dirname, 'transformersJs.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, path, JSON.stringify(prompts)]);
  const resident = await loadTinyChatModel(model);
  const session = await DecodingSession.create(resident, { threads: 1 });
  const inputs = makeAdapterInputs(resident.model, readAdapter(adapter), resident);
  const expected: string[] = [];
  for (const prompt of prompts) {
    const ids: number[] = [];
    let step = await session.extend(resident.tokenizer.encode(prompt), session.emptyCache(), inputs);
    while (ids.length < 8) {
      ids.push(findLargest(step.logits));
      if (resident.tokenizer.eosTokenIds.includes(ids.at(-1)!)) break;
      step = await session.extend([ids.at(-1)!], step.cache, inputs);
    }
    expected.push(resident.tokenizer.decode(ids));
  }
  await session.release();
  expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toEqual(expected);
});
