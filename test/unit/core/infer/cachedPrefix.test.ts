import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cachePrefix, findCommonPrefix } from '../../../../src/core/infer/cachedPrefix.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { encodePrompt } from '../../../../src/core/infer/encodePrompt.ts';
import { generateText } from '../../../../src/core/infer/generateText.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyChatModel } from '../../../support/tinyChatModel.ts';

describe('findCommonPrefix', () => {
  it('is what all prompts begin with, and leaves each its last token', () => {
    expect(
      findCommonPrefix([
        [1, 2, 3, 4],
        [1, 2, 5],
        [1, 2, 3],
      ]),
    ).toEqual([1, 2]);
    expect(
      findCommonPrefix([
        [1, 2],
        [1, 2, 3],
      ]),
    ).toEqual([1]);
    expect(findCommonPrefix([[1, 2, 3]])).toEqual([1, 2]);
    expect(findCommonPrefix([[4], [5]])).toEqual([]);
  });
});

describe('cachePrefix', () => {
  it('changes nothing in the answers', async () => {
    const resident = await loadTinyChatModel(writeTinyChatModel(join(temporaryFolder(), 'model')));
    const session = await DecodingSession.create(resident, { threads: 1 });
    const adapter = session.baseInputs;
    const settings = { maxTokens: 12, temperature: 0, topP: 1, seed: 1 };
    const chats = ['walks', 'sits', 'jumps over the lazy dog'].map(end => [
      { role: 'user' as const, content: `The quick fox does not jump, it walks around the dog in 12 steps and ${end}` },
    ]);
    const prefix = await cachePrefix(
      session,
      chats.map(messages => encodePrompt(resident, messages)),
      adapter,
    );
    expect(prefix?.tokenIds.length).toBeGreaterThan(15);
    for (const messages of chats) {
      const plain = await generateText(session, { messages, adapter, settings });
      const cached = await generateText(session, { messages, adapter, settings, prefix });
      expect(cached.tokenIds).toEqual(plain.tokenIds);
      expect(cached.promptTokens).toBe(plain.promptTokens);
    }
    await session.release();
  });
});
