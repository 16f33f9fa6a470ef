import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerTogether } from '../../../../src/core/infer/answerTogether.ts';
import { cachePrefix } from '../../../../src/core/infer/cachedPrefix.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { askQuestion, encodePrompt } from '../../../../src/core/infer/encodePrompt.ts';
import { type Generation, generateText } from '../../../../src/core/infer/generateText.ts';
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

function withoutTimes({ firstTokenMs: _, tokensPerSecond: __, ...answer }: Generation) {
  return answer;
}

describe('answerTogether', () => {
  it('gives every prompt the answer that it gets alone', async () => {
    const session = await openSession();
    const adapter = session.baseInputs;
    const prompts = questions.map(question => encodePrompt(session.resident, askQuestion(question)));
    const settings = { maxTokens, temperature: 0, topP: 1, seed: 1 };
    const alone: Omit<Generation, 'firstTokenMs' | 'tokensPerSecond'>[] = [];
    for (const question of questions) {
      const answer = await generateText(session, { messages: askQuestion(question), adapter, settings });
      alone.push(withoutTimes(answer));
    }
    expect(new Set(alone.map(({ outputTokens }) => outputTokens)).size).toBeGreaterThan(2);
    const done: number[] = [];
    const request = { prompts, adapter, maxTokens, onDone: (count: number) => done.push(count) };
    expect((await answerTogether(session, request)).map(withoutTimes)).toEqual(alone);
    expect(done.at(-1)).toBe(prompts.length);
    const prefix = await cachePrefix(session, prompts, adapter);
    const prefixed = await answerTogether(session, { prompts, adapter, maxTokens, prefix });
    expect(prefixed.map(withoutTimes)).toEqual(alone);
    await session.release();
  });

  it('gives an answer what room the context leaves behind its prompt', async () => {
    const session = await openSession();
    const { contextTokens } = session.resident;
    const prompts = [3, 60].map(room => Array.from({ length: contextTokens - room }, (_, i) => (i * 37 + 11) % 390));
    const answers = await answerTogether(session, { prompts, adapter: session.baseInputs, maxTokens: 50 });
    for (const [row, { outputTokens, stopReason }] of answers.entries()) {
      if (stopReason === 'length') expect(outputTokens).toBe([3, 50][row]);
      else expect(outputTokens).toBeLessThanOrEqual([3, 50][row]!);
    }
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
