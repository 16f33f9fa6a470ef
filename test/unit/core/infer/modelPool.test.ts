import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { ModelPool } from '../../../../src/core/infer/modelPool.ts';
import { makeTemporaryFolder } from '../../../support/temporaryFolder.ts';
import { writeTinyAdapter, writeTinyChatModel } from '../../../support/tinyChatModel.ts';

describe('ModelPool', () => {
  const folder = makeTemporaryFolder();
  const model = writeTinyChatModel(join(folder.path, 'model'));
  const pool = new ModelPool({ models: { tinyFolder: model }, threads: 1 });
  afterAll(async () => {
    await pool.release();
    folder.remove();
  });

  it('has run the model and loaded the generation loop before the first question', async () => {
    const libraryKey = Symbol.for('onnxruntime');
    expect(Reflect.has(globalThis, libraryKey)).toBe(false);
    const extend = vi.spyOn(DecodingSession.prototype, 'extend');
    await pool.open(model);
    const pastTokens = extend.mock.calls.map(([, cache]) => cache.tokens[0]);
    extend.mockRestore();
    expect(pastTokens).toEqual([0, 2]); // a prompt, then a token behind it
    expect(Reflect.has(globalThis, libraryKey)).toBe(true);
  });

  it('serves the base and its adapters from one session', async () => {
    const adapters = [1, 2].map(seed => writeTinyAdapter(join(folder.path, `adapter-${seed}`), { seed }));
    const base = await pool.attach(model, null);
    for (const adapter of adapters) {
      const attached = await pool.attach(model, adapter);
      expect(attached.session).toBe(base.session);
      expect(attached.adapter).not.toBe(base.adapter);
      expect((await pool.attach(model, adapter)).adapter).toBe(attached.adapter);
    }
  });

  it('adds up what several adapters change, whatever their order', async () => {
    const [first, second] = [3, 4].map(seed => writeTinyAdapter(join(folder.path, `added-${seed}`), { seed }));
    const readLogits = async (adapters: readonly string[]): Promise<number[]> => {
      const { session, adapter } = await pool.attach(model, adapters);
      const { logits } = await session.extend([5, 3, 8], session.emptyCache(), adapter);
      return [...logits];
    };
    const sum = await readLogits([first!, second!]);
    const turned = await readLogits([second!, first!]);
    const distance = (a: readonly number[], b: readonly number[]): number =>
      Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    expect(distance(sum, turned)).toBeLessThan(1e-5);
    expect(distance(sum, await readLogits([first!]))).toBeGreaterThan(1e-2);
    const doubled = await readLogits([first!, first!]);
    const twice = writeTinyAdapter(join(folder.path, 'twice'), { seed: 3, alpha: 8 });
    expect(distance(doubled, await readLogits([twice]))).toBeLessThan(1e-5);
  });

  it('refuses to add a whole model, or an adapter with DoRA, to another', async () => {
    const plain = writeTinyAdapter(join(folder.path, 'plain'));
    await expect(pool.attach(model, [plain, model])).rejects.toMatchObject({
      code: 'adapter-invalid',
      message: expect.stringContaining('expected an adapter to add to others, got a whole model'),
    });
    const saved = writeTinyAdapter(join(folder.path, 'saved'), {
      change: tensors => [
        ...tensors,
        { name: 'base_model.model.model.norm.weight', shape: [32], values: Array(32).fill(1) },
      ],
    });
    const config = join(saved, 'adapter_config.json');
    writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), modules_to_save: ['norm'] }));
    await expect(pool.attach(model, [plain, saved])).rejects.toMatchObject({
      code: 'adapter-invalid',
      message: expect.stringContaining('expected a plain LoRA adapter, got one with modules trained whole'),
    });
  });
});
