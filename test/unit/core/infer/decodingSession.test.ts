import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../src/core/adapter/readAdapter.ts';
import { type AdapterInputs, makeAdapterInputs } from '../../../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import {
  loadTinyChatModel,
  type TinyAdapter,
  tinyChatModel,
  writeTinyAdapter,
  writeTinyChatModel,
} from '../../../support/tinyChatModel.ts';

const tokens = Array.from({ length: 300 }, (_, i) => (i * 37 + 11) % 390);

async function openSession(): Promise<{ session: DecodingSession; folder: string }> {
  const folder = temporaryFolder();
  const resident = await loadTinyChatModel(writeTinyChatModel(join(folder, 'model')));
  return { session: await DecodingSession.create(resident, { threads: 1 }), folder };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

function inputsOf(folder: string, name: string, adapter: TinyAdapter): AdapterInputs {
  return makeAdapterInputs(tinyChatModel, readAdapter(writeTinyAdapter(join(folder, name), adapter)));
}

describe('DecodingSession', () => {
  it('gives the same logits token by token as for a whole prompt', async () => {
    const { session } = await openSession();
    const prompt = tokens.slice(0, 12);
    const whole = await session.extend(prompt, session.emptyCache(), session.baseInputs);
    let step = await session.extend(prompt.slice(0, 1), session.emptyCache(), session.baseInputs);
    for (const token of prompt.slice(1)) step = await session.extend([token], step.cache, session.baseInputs);
    expect(step.cache.tokens).toEqual([12]);
    expect(largestDifference(step.logits, whole.logits)).toBeLessThan(1e-4);
    await session.release();
  });

  it('gives the same logits for a prompt that runs in several chunks', async () => {
    const { session } = await openSession();
    const chunked = await session.extend(tokens, session.emptyCache(), session.baseInputs);
    let step = await session.extend(tokens.slice(0, 100), session.emptyCache(), session.baseInputs);
    for (const token of tokens.slice(100)) step = await session.extend([token], step.cache, session.baseInputs);
    expect(largestDifference(chunked.logits, step.logits)).toBeLessThan(1e-4);
    await session.release();
  });

  it('switches between the base and adapters of different ranks without loading the base again', async () => {
    const { session, folder } = await openSession();
    const prompt = tokens.slice(0, 8);
    const logitsWith = async (inputs: AdapterInputs) =>
      (await session.extend(prompt, session.emptyCache(), inputs)).logits;
    const base = await logitsWith(session.baseInputs);
    const first = await logitsWith(inputsOf(folder, 'first', {}));
    const second = await logitsWith(inputsOf(folder, 'second', { rank: 5, targetModules: ['up_proj'], seed: 2 }));
    expect(largestDifference(base, first)).toBeGreaterThan(0.01);
    expect(largestDifference(base, second)).toBeGreaterThan(0.01);
    expect(largestDifference(first, second)).toBeGreaterThan(0.01);
    expect(await logitsWith(session.baseInputs)).toEqual(base);
    await session.release();
  });

  it('leaves the logits as they are with an adapter whose B is zero', async () => {
    const { session, folder } = await openSession();
    const prompt = tokens.slice(0, 8);
    const base = await session.extend(prompt, session.emptyCache(), session.baseInputs);
    const tuned = await session.extend(prompt, session.emptyCache(), inputsOf(folder, 'zero', { strength: 0 }));
    expect(largestDifference(base.logits, tuned.logits)).toBeLessThan(1e-6);
    await session.release();
  });

  it('folds alpha / rank into B', async () => {
    const { session, folder } = await openSession();
    const prompt = tokens.slice(0, 8);
    const logitsWith = async (name: string, adapter: TinyAdapter) =>
      (await session.extend(prompt, session.emptyCache(), inputsOf(folder, name, adapter))).logits;
    const scaled = await logitsWith('scaled', { rank: 2, alpha: 4, strength: 0.25 });
    const plain = await logitsWith('plain', { rank: 2, alpha: 2, strength: 0.5 });
    expect(largestDifference(scaled, plain)).toBeLessThan(1e-5);
    await session.release();
  });

  it('stops between two chunks of a prompt when cancelled', async () => {
    const { session } = await openSession();
    const controller = new AbortController();
    const running = session.extend(tokens, session.emptyCache(), session.baseInputs, controller.signal);
    controller.abort();
    await expect(running).rejects.toThrow('aborted');
    await session.release();
  });

  it('refuses logits that are not numbers', async () => {
    const { session } = await openSession();
    const broken = session.resident.weights['model.norm.weight']!.data as Float32Array;
    broken.fill(Number.NaN);
    await expect(session.extend([1], session.emptyCache(), session.baseInputs)).rejects.toMatchObject({
      code: 'not-finite',
    });
    await session.release();
  });
});
