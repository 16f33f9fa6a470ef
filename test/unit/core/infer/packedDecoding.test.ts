import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../src/core/adapter/readAdapter.ts';
import { openGguf } from '../../../../src/core/formats/gguf.ts';
import { makeAdapterInputs } from '../../../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { copyRows, listRows } from '../../../../src/core/infer/keyValueCache.ts';
import { loadResidentModel, type WeightsKept } from '../../../../src/core/infer/residentModel.ts';
import type { ParameterInfo } from '../../../../src/core/models/architecture.ts';
import { readModel } from '../../../../src/core/models/findArchitecture.ts';
import { openFolderModel } from '../../../../src/core/models/openFolderModel.ts';
import { makeTemporaryFolder } from '../../../support/temporaryFolder.ts';
import { writeTinyAdapter, writeTinyChatModel } from '../../../support/tinyChatModel.ts';
import { type RandomDtype, writeRandomGguf } from '../train/randomBlocks.ts';

const changes = {
  hidden_size: 64,
  intermediate_size: 96,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
};
const prompt = Array.from({ length: 12 }, (_, i) => (i * 37 + 11) % 390);
/** Random weights and activations have no structure that 8 bits would keep: real models come nearer. */
const roundingTolerance = 0.04;
/** Every kind of block once: with and without minimums, of 4 and of 8 bits. */
const choose = ({ name, kind }: ParameterInfo): RandomDtype => {
  if (kind === 'embedding' || kind === 'head' || name.includes('v_proj')) return 'Q8_0';
  return name.includes('o_proj') ? 'Q4_0' : 'Q4_1';
};

const { path: folder, remove } = makeTemporaryFolder();
const sessions = new Map<WeightsKept, DecodingSession>();

async function openSession(weights: WeightsKept): Promise<DecodingSession> {
  const opened = openFolderModel('tiny', writeTinyChatModel(join(folder, weights), changes));
  const model = readModel({ ...opened.config, model_type: opened.modelType });
  const path = join(folder, `${weights}.gguf`);
  writeRandomGguf(path, model, choose);
  const { tensors } = openGguf(path);
  const { id, path: place, format, modelType, config, tokenizer } = opened;
  const stored = { ...opened, id, path: place, format, modelType, config, tokenizer, weights: tensors };
  const resident = await loadResidentModel(stored, { weights });
  tensors.close();
  opened.close();
  return DecodingSession.create(resident, { threads: 1 });
}

beforeAll(async () => {
  for (const weights of ['stored', 'float'] as const) sessions.set(weights, await openSession(weights));
});

afterAll(async () => {
  for (const session of sessions.values()) await session.release();
  remove();
});

async function readLogits(weights: WeightsKept, adapter?: string): Promise<Float32Array> {
  const session = sessions.get(weights)!;
  const inputs =
    adapter === undefined
      ? session.baseInputs
      : makeAdapterInputs(session.resident.model, readAdapter(adapter), session.resident);
  const step = await session.extend(prompt, session.emptyCache(), inputs);
  return (await session.extend([7], step.cache, inputs)).logits;
}

/** Root mean square of the difference, relative to that of b. */
function distance(a: Float32Array, b: Float32Array): number {
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(a.map((value, i) => value - b[i]!)) / norm(b);
}

describe('a model that decodes from its blocks', () => {
  it('keeps no floats of the weights that lie in blocks', () => {
    const packed = sessions.get('stored')!.resident;
    expect(Object.keys(packed.weights).every(name => name.includes('norm'))).toBe(true);
    expect(packed.packed?.arrays).toEqual([]);
    expect(sessions.get('float')!.resident.packed).toBeUndefined();
  });

  it('gives the logits of the same weights in floats, as near as 8-bit activations come', async () => {
    expect(distance(await readLogits('stored'), await readLogits('float'))).toBeLessThan(roundingTolerance);
  });

  it('adds what an adapter adds', async () => {
    const adapter = writeWideAdapter(join(folder, 'adapter'));
    const [stored, float] = [await readLogits('stored', adapter), await readLogits('float', adapter)];
    expect(distance(stored, float)).toBeLessThan(roundingTolerance);
    expect(distance(float, await readLogits('float'))).toBeGreaterThan(0.1);
  });

  it('decodes rows side by side as one by one', async () => {
    const session = sessions.get('stored')!;
    const { baseInputs } = session;
    const one = await session.extend(prompt, session.emptyCache(), baseInputs);
    const alone = (await session.extend([7], one.cache, baseInputs)).logits.slice();
    const { config } = session.resident.model;
    const other = await session.extend(prompt.slice(3, 8), session.emptyCache(), baseInputs);
    const rows = [...listRows(other.cache), ...listRows((await again(session)).cache)];
    const together = await session.extendRows([5, 7], copyRows(config, rows, 20), baseInputs);
    const width = config.vocabularySize;
    expect(distance(together.logits.subarray(width), alone)).toBeLessThan(1e-4);
  });
});

function again(session: DecodingSession) {
  return session.extend(prompt, session.emptyCache(), session.baseInputs);
}

/** An adapter of the wider model: the tiny model's tensors, made anew for its shapes. */
function writeWideAdapter(path: string): string {
  const widths: Record<string, readonly [out: number, inner: number]> = {
    q_proj: [64, 64],
    v_proj: [32, 64],
    down_proj: [64, 96],
  };
  return writeTinyAdapter(path, {
    change: tensors =>
      tensors.map(({ name, shape }, index) => {
        const [out, inner] = widths[/(\w+)\.lora_/.exec(name)![1]!]!;
        const wide = name.includes('lora_A') ? [shape[0]!, inner] : [out, shape[1]!];
        const values = Array.from({ length: wide[0]! * wide[1]! }, (_, i) => 0.1 * Math.sin(i * 7 + index));
        return { name, shape: wide, values };
      }),
  });
}
