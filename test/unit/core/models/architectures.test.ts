/** Every architecture beside what transformers computed once (test/parity/architectures.test.ts writes the goldens). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ArchitectureReference,
  compareDecoding,
  compareGguf,
  compareRopes,
  compareTraining,
  openReference,
  referenceTolerance as tolerance,
} from '../../../support/architectureReference.ts';

const goldens = join(import.meta.dirname, 'goldens');

describe.each(readdirSync(goldens).filter(name => !name.includes('.')))('%s', name => {
  let reference: ArchitectureReference;
  beforeAll(async () => {
    reference = await openReference(join(goldens, name));
  });
  afterAll(() => reference.opened.close());

  for (const method of ['lora', 'full'] as const) {
    it.each(['whole', 'layered'] as const)(
      `has losses and gradients of transformers with ${method}, %s`,
      async shape => {
        const { firstLoss, losses, gradient } = await compareTraining(reference, method, shape);
        expect(firstLoss).toBeLessThan(tolerance.firstLoss);
        expect(gradient).toBeLessThan(tolerance.gradient);
        expect(losses).toBeLessThan(tolerance.losses);
      },
    );
  }

  it('has logits and greedy tokens of transformers', async () => {
    const { logits, tokens } = await compareDecoding(reference);
    expect(tokens).toEqual(reference.reference.greedy);
    expect(logits).toBeLessThan(tolerance.logits);
  });

  it('is the same model out of a GGUF file', async () => {
    expect(await compareGguf(reference)).toEqual([]);
  });
});

it('has the rotary tables of transformers for every scaling', () => {
  const differences = compareRopes(join(goldens, 'rope.json'));
  expect(Object.keys(differences).length).toBeGreaterThan(10);
  for (const [name, difference] of Object.entries(differences)) expect(difference, name).toBeLessThan(tolerance.rope);
});
