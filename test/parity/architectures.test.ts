/** Every architecture's numbers beside those of transformers + PEFT on small random models, made by one Python process. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compareDecoding,
  compareGguf,
  compareRopes,
  compareTraining,
  openReference,
  referenceTolerance as tolerance,
} from '../support/architectureReference.ts';
import { requirePython } from '../support/externals.ts';

const root = resolve(import.meta.dirname, '../..');
const goldens = join(root, 'test/unit/core/models/goldens');
const folder = mkdtempSync(join(tmpdir(), 'architectures-'));
const measured: Record<string, Record<string, number>> = {};

beforeAll(() => {
  const script = join(root, 'test/parity/architectures.py');
  const python = spawnSync(requirePython(), [script, folder], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (python.status !== 0) throw new Error(`architectures.py: exit ${python.status}\n${python.stderr.slice(-3000)}`);
  if (process.env.WRITE_GOLDENS) cpSync(folder, goldens, { recursive: true });
});
afterAll(() => {
  console.log('largest relative differences', measured);
  rmSync(folder, { recursive: true, force: true });
});

it('has a golden for every case', () => {
  expect(readdirSync(goldens).sort()).toEqual(readdirSync(folder).sort());
});

it('has the rotary tables of every scaling', () => {
  measured.rope = compareRopes(join(folder, 'rope.json'));
  for (const [name, difference] of Object.entries(measured.rope)) expect(difference, name).toBeLessThan(tolerance.rope);
});

describe.each(readdirSync(goldens).filter(name => !name.includes('.')))('%s', name => {
  it.each([
    ['lora', 'whole'],
    ['lora', 'layered'],
    ['full', 'whole'],
    ['full', 'layered'],
  ] as const)('has losses and every gradient of 20 steps with method %s, %s', async (method, shape) => {
    const reference = await openReference(join(folder, name));
    const differences = await compareTraining(reference, method, shape);
    measured[`${name}, ${method}, ${shape}`] = { ...differences };
    reference.opened.close();
    expect(differences.firstLoss).toBeLessThan(tolerance.firstLoss);
    expect(differences.gradient).toBeLessThan(tolerance.gradient);
    expect(differences.losses).toBeLessThan(tolerance.losses);
  });

  it('has logits and greedy tokens over a cache', async () => {
    const reference = await openReference(join(folder, name));
    const { logits, tokens } = await compareDecoding(reference);
    measured[`${name}, decoding`] = { logits };
    reference.opened.close();
    expect(tokens).toEqual(reference.reference.greedy);
    expect(logits).toBeLessThan(tolerance.logits);
  });

  it('is the same model out of a GGUF file', async () => {
    const reference = await openReference(join(folder, name));
    expect(await compareGguf(reference)).toEqual([]);
    reference.opened.close();
  });

  it('has a golden of the versions in the requirements', () => {
    const { versions } = JSON.parse(readFileSync(join(goldens, name, 'reference.json'), 'utf8')) as {
      versions: Record<string, string>;
    };
    const requirements = readFileSync(join(root, 'test/parity/requirements.txt'), 'utf8');
    for (const [library, version] of Object.entries(versions)) {
      expect(requirements).toContain(`${library}==${version.replace(/\+.*/, '')}`);
    }
  });
});
