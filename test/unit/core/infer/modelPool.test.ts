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
});
