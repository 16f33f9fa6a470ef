import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecodingSession } from '../../../../../src/core/infer/decodingSession.ts';
import { embedTexts } from '../../../../../src/core/infer/embed/embedTexts.ts';
import { centerVectors, dot, meanOf, rowOf } from '../../../../../src/core/infer/embed/vectors.ts';
import type { ResidentModel } from '../../../../../src/core/infer/residentModel.ts';
import { floatData } from '../../../../../src/core/runtime/tensor.ts';
import { makeTemporaryFolder } from '../../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyChatModel } from '../../../../support/tinyChatModel.ts';

const settings = { threads: 1, contextTokens: 32, batchRows: 2 };
const texts = ['the cat sat on the mat', 'a dog', '', 'numbers 1 2 3 and words, words, words', 'one more text'];

const { path: folder, remove } = makeTemporaryFolder();
afterAll(remove);
let resident: ResidentModel;
beforeAll(async () => {
  resident = await loadTinyChatModel(writeTinyChatModel(join(folder, 'model'), { tie_word_embeddings: true }));
});

describe('embedTexts', () => {
  it('gives the states of which decoding makes its logits', async () => {
    const session = await DecodingSession.create(resident, { threads: 1 });
    const text = ' a cat';
    const ids = resident.tokenizer.encode(text).slice(0, 2);
    const twoTokens = resident.tokenizer.decode(ids);
    expect(resident.tokenizer.encode(twoTokens)).toEqual(ids);
    const { logits } = await session.extend(ids, session.emptyCache(), session.baseInputs);
    const vectors = await embedTexts(resident, [twoTokens], { ...settings, layers: resident.model.config.layers });
    const { head } = resident.model.architecture.describeParameters(resident.model.config);
    const table = floatData(resident.weights[head.name]!);
    const own = Float32Array.from(logits, (_, token) =>
      dot(table.subarray(token * vectors.size, (token + 1) * vectors.size), rowOf(vectors, 0)),
    );
    const cosine = dot(own, logits) / Math.sqrt(dot(own, own) * dot(logits, logits));
    expect(cosine).toBeGreaterThan(1 - 1e-6);
    await session.release();
  });

  it('does not depend on what else is embedded', async () => {
    const together = await embedTexts(resident, texts, settings);
    expect(together).toMatchObject({ count: texts.length, size: resident.model.config.hiddenSize });
    for (const [row, text] of texts.entries()) {
      const alone = await embedTexts(resident, [text], settings);
      const expected = text === '' ? 0 : 1;
      expect(dot(rowOf(alone, 0), rowOf(together, row))).toBeCloseTo(expected, 5);
      expect(dot(rowOf(alone, 0), rowOf(alone, 0))).toBeCloseTo(expected, 5);
    }
  });

  it('reads a text up to the context', async () => {
    const long = 'word after word '.repeat(200);
    const vectors = await embedTexts(resident, [long, `${long} and an end`], settings);
    expect(dot(rowOf(vectors, 0), rowOf(vectors, 1))).toBeCloseTo(1, 6);
  });

  it('ends with an AbortError when cancelled, and tells how far it is', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const running = embedTexts(resident, texts, {
      ...settings,
      batchRows: 1,
      signal: controller.signal,
      onProgress: (done, total) => {
        seen.push(total);
        if (done > 0) controller.abort();
      },
    });
    await expect(running).rejects.toThrow('aborted');
    expect(seen).toEqual([4]);
  });

  it('gives nothing for no texts', async () => {
    expect((await embedTexts(resident, [], settings)).count).toBe(0);
  });
});

describe('centerVectors', () => {
  it('takes out what all rows share', () => {
    const values = Float32Array.from([5, 1, 0, 5, -1, 0, 5, 0, 1, 5, 0, -1]);
    const vectors = { count: 4, size: 3, values };
    const centered = centerVectors(vectors, meanOf(vectors));
    expect(dot(rowOf(centered, 0), rowOf(centered, 1))).toBeCloseTo(-1, 6);
    expect(dot(rowOf(centered, 0), rowOf(centered, 2))).toBeCloseTo(0, 6);
  });
});
