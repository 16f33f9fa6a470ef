import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerTogether } from '../../../../src/core/infer/answerTogether.ts';
import { cachePrefix } from '../../../../src/core/infer/cachedPrefix.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { askQuestion, encodePrompt } from '../../../../src/core/infer/encodePrompt.ts';
import { generateText } from '../../../../src/core/infer/generateText.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyChatModel } from '../../../support/tinyChatModel.ts';

const questions = Array.from({ length: 20 }, (_, i) => `The quick fox${' walks around the dog'.repeat(i % 4)} ${i}?`);
const maxTokens = 70;

async function openSession(): Promise<DecodingSession> {
  const resident = await loadTinyChatModel(writeTinyChatModel(join(temporaryFolder(), 'model')));
  // Frequent end tokens, so that rows end at different times.
  const eosTokenIds = Array.from({ length: 400 }, (_, id) => id).filter(id => id % 40 === 3);
  return DecodingSession.create({ ...resident, tokenizer: { ...resident.tokenizer, eosTokenIds } }, { threads: 1 });
}

describe('answerTogether', () => {
  it('gives every prompt the answer that it gets alone', async () => {
    const session = await openSession();
    const adapter = session.baseInputs;
    const prompts = questions.map(question => encodePrompt(session.resident, askQuestion(question)));
    const settings = { maxTokens, temperature: 0, topP: 1, seed: 1 };
    const alone: string[] = [];
    const counts: number[] = [];
    for (const question of questions) {
      const answer = await generateText(session, { messages: askQuestion(question), adapter, settings });
      alone.push(answer.text);
      counts.push(answer.outputTokens);
    }
    expect(new Set(counts).size).toBeGreaterThan(2);
    const done: number[] = [];
    expect(await answerTogether(session, { prompts, adapter, maxTokens, onDone: count => done.push(count) })).toEqual(
      alone,
    );
    expect(done.at(-1)).toBe(prompts.length);
    const prefix = await cachePrefix(session, prompts, adapter);
    expect(await answerTogether(session, { prompts, adapter, maxTokens, prefix })).toEqual(alone);
    await session.release();
  });

  it('ends with an AbortError when cancelled', async () => {
    const session = await openSession();
    const prompts = questions.map(question => encodePrompt(session.resident, askQuestion(question)));
    const request = { prompts, adapter: session.baseInputs, maxTokens, signal: AbortSignal.timeout(1) };
    await expect(answerTogether(session, request)).rejects.toThrow('aborted');
    await session.release();
  });
});
