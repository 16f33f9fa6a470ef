import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../src/core/adapter/readAdapter.ts';
import { type AdapterInputs, makeAdapterInputs } from '../../../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { evaluateLoss, type LossSettings, toPerplexity } from '../../../../src/core/infer/evaluateLoss.ts';
import type { EncodedRow } from '../../../../src/core/text/packedBatch.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import {
  loadTinyChatModel,
  tinyChatModel,
  writeTinyAdapter,
  writeTinyChatModel,
} from '../../../support/tinyChatModel.ts';

const lengths = [9, 21, 5, 33, 14];
const rows: EncodedRow[] = lengths.map((length, row) => ({
  row,
  tokenIds: Int32Array.from({ length }, (_, i) => (i * 53 + row * 17 + 7) % 390),
  supervised: Uint8Array.from({ length }, (_, i) => Number(i > 0 && i % 3 !== 0)),
}));
const settings: LossSettings = { batchRows: 2, contextTokens: 48, packing: true, threads: 1 };

/** By the decoding graph, one token after the other, log-softmax in float64. */
async function sumLosses(session: DecodingSession, adapter: AdapterInputs) {
  let lossNats = 0;
  let count = 0;
  for (const { tokenIds, supervised } of rows) {
    let cache = session.emptyCache();
    for (let at = 0; at + 1 < tokenIds.length; at++) {
      const step = await session.extend([tokenIds[at]!], cache, adapter);
      cache = step.cache;
      if (supervised[at + 1] === 0) continue;
      const largest = Math.max(...step.logits);
      const total = step.logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
      lossNats += largest + Math.log(total) - step.logits[tokenIds[at + 1]!]!;
      count += 1;
    }
  }
  return { evalLossNats: lossNats / count, supervisedTokens: count };
}

async function open() {
  const folder = temporaryFolder();
  const resident = await loadTinyChatModel(writeTinyChatModel(join(folder, 'model')));
  return { folder, resident, session: await DecodingSession.create(resident, { threads: 1 }) };
}

describe('evaluateLoss', () => {
  it('gives the loss that decoding gives, for the base', async () => {
    const { resident, session } = await open();
    const expected = await sumLosses(session, session.baseInputs);
    const loss = await evaluateLoss(resident, null, rows, settings);
    expect(loss.supervisedTokens).toBe(expected.supervisedTokens);
    expect(loss.evalLossNats).toBeCloseTo(expected.evalLossNats, 5);
    expect(toPerplexity(loss.evalLossNats)).toBeCloseTo(Math.exp(expected.evalLossNats), 3);
    await session.release();
  });

  it('gives the loss that decoding gives, for an adapter whose ranks differ', async () => {
    const { folder, resident, session } = await open();
    const adapter = readAdapter(
      writeTinyAdapter(join(folder, 'adapter'), {
        rank: 3,
        change: tensors =>
          tensors.map(t => {
            if (!t.name.includes('q_proj')) return t;
            const inner = t.shape[1]!;
            return t.name.endsWith('lora_A.weight')
              ? { ...t, shape: [2, inner], values: t.values.slice(0, 2 * inner) }
              : { ...t, shape: [t.shape[0]!, 2], values: t.values.filter((_, i) => i % 3 !== 2) };
          }),
      }),
    );
    const expected = await sumLosses(session, makeAdapterInputs(tinyChatModel, adapter));
    const loss = await evaluateLoss(resident, adapter, rows, settings);
    const base = await evaluateLoss(resident, null, rows, settings);
    expect(loss.evalLossNats).toBeCloseTo(expected.evalLossNats, 5);
    expect(Math.abs(loss.evalLossNats - base.evalLossNats)).toBeGreaterThan(1e-3);
    await session.release();
  });

  it('does not depend on packing or batch size', async () => {
    const { resident, session } = await open();
    const packed = await evaluateLoss(resident, null, rows, settings);
    const apart = await evaluateLoss(resident, null, rows, { ...settings, packing: false, batchRows: 1 });
    expect(apart.evalLossNats).toBeCloseTo(packed.evalLossNats, 6);
    await session.release();
  });

  it('ends with an AbortError when cancelled', async () => {
    const { resident, session } = await open();
    const controller = new AbortController();
    const running = evaluateLoss(resident, null, rows, {
      ...settings,
      packing: false,
      batchRows: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(running).rejects.toThrow('aborted');
    await session.release();
  });
});
