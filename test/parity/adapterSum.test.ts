/** Adapters of unequal rank, scale and layers added up, beside PEFT's `add_weighted_adapter`. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { ModelPool } from '../../src/core/infer/modelPool.ts';
import { requirePython } from '../support/externals.ts';
import { makeTemporaryFolder } from '../support/temporaryFolder.ts';
import { writeTinyAdapter, writeTinyChatModel } from '../support/tinyChatModel.ts';

const script = resolve(import.meta.dirname, 'adapterSum.py');

it('has the logits of PEFT with two adapters added up, and those of each alone', async () => {
  const folder = makeTemporaryFolder();
  const model = writeTinyChatModel(join(folder.path, 'model'));
  const first = writeTinyAdapter(join(folder.path, 'first'), { rank: 2, alpha: 4, strength: 0.2 });
  const second = writeTinyAdapter(join(folder.path, 'second'), {
    rank: 5,
    alpha: 3,
    strength: 0.2,
    seed: 2,
    targetModules: ['q_proj', 'up_proj'],
  });
  const tokens = [5, 3, 8, 2, 9, 4];
  const pool = new ModelPool({ models: { tinyFolder: model }, threads: 1 });
  try {
    const python = spawnSync(requirePython(), [script, model, first, second, ...tokens.map(String)], {
      encoding: 'utf8',
    });
    if (python.status !== 0) throw new Error(`adapterSum.py: exit ${python.status}\n${python.stderr.slice(-3000)}`);
    const expected = JSON.parse(python.stdout) as Record<'first' | 'second' | 'sum', number[]>;
    const differences: Record<string, number> = {};
    for (const [name, adapters] of Object.entries({ first: [first], second: [second], sum: [first, second] })) {
      const { session, adapter } = await pool.attach(model, adapters);
      const { logits } = await session.extend(tokens, session.emptyCache(), adapter);
      const wanted = expected[name as keyof typeof expected];
      expect(logits.length).toBe(wanted.length);
      differences[name] = Math.max(...wanted.map((value, i) => Math.abs(value - logits[i]!)));
    }
    console.log('adapters added up', differences);
    for (const [name, difference] of Object.entries(differences)) expect(difference, name).toBeLessThan(1e-5);
    expect(Math.max(...expected.sum.map((value, i) => Math.abs(value - expected.first[i]!)))).toBeGreaterThan(1e-2);
  } finally {
    await pool.release();
    folder.remove();
  }
});
