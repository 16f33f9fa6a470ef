import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../src/core/adapter/readAdapter.ts';
import { type AdapterInputs, makeAdapterInputs } from '../../../../src/core/infer/adapterInputs.ts';
import { AnswerWriter } from '../../../../src/core/infer/answerWriter.ts';
import { BatchDecoder, type BatchLimits, defaultBatchLimits } from '../../../../src/core/infer/batchDecoder.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { askQuestion, encodePrompt } from '../../../../src/core/infer/encodePrompt.ts';
import { generateText } from '../../../../src/core/infer/generateText.ts';
import { scoreToken } from '../../../../src/core/infer/tokenScores.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyAdapter, writeTinyChatModel } from '../../../support/tinyChatModel.ts';

const questions = Array.from({ length: 12 }, (_, i) => `The quick fox${' walks around the dog'.repeat(i % 4)} ${i}?`);

async function openSession(): Promise<{ session: DecodingSession; tuned: AdapterInputs }> {
  const folder = temporaryFolder();
  const resident = await loadTinyChatModel(writeTinyChatModel(join(folder, 'model')));
  // Frequent end tokens, so that rows end at different times.
  const eosTokenIds = Array.from({ length: 400 }, (_, id) => id).filter(id => id % 40 === 3);
  const session = await DecodingSession.create(
    { ...resident, tokenizer: { ...resident.tokenizer, eosTokenIds } },
    { threads: 1 },
  );
  const adapter = readAdapter(writeTinyAdapter(join(folder, 'adapter')));
  return { session, tuned: makeAdapterInputs(resident.model, adapter, resident) };
}

interface Asked {
  readonly question: string;
  readonly adapter: AdapterInputs;
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly onText?: () => void;
  readonly signal?: AbortSignal;
}

async function ask(session: DecodingSession, decoder: BatchDecoder, asked: Asked): Promise<string> {
  const { question, adapter, temperature = 0, maxTokens = 60, onText, signal } = asked;
  let text = '';
  const settings = { maxTokens, temperature, topP: 0.9, seed: 5, stop: [] };
  const writer = new AnswerWriter(session.resident.tokenizer, settings, piece => {
    text += piece.text;
    onText?.();
  });
  const prompt = encodePrompt(session.resident, askQuestion(question));
  await decoder.decode({ prompt, adapter, signal, take: logits => writer.take(logits) });
  return text;
}

async function askAlone(session: DecodingSession, { question, adapter, temperature = 0, maxTokens = 60 }: Asked) {
  const settings = { maxTokens, temperature, topP: 0.9, seed: 5 };
  return (await generateText(session, { messages: askQuestion(question), adapter, settings })).text;
}

describe('BatchDecoder', () => {
  it.each<[string, Partial<BatchLimits>]>([
    ['rows that join while others decode', {}],
    ['more rows than decode at once', { maxRows: 3 }],
    ['rows that outgrow the memory and run again', { maxCacheBytes: 80_000 }],
  ])('gives everyone the answer that they get alone: %s', async (_, limits) => {
    const { session, tuned } = await openSession();
    const decoder = new BatchDecoder(session, { ...defaultBatchLimits, ...limits });
    const all = questions.map((question, i): Asked => {
      return { question, adapter: i % 3 === 1 ? tuned : session.baseInputs, temperature: i % 4 === 3 ? 0.8 : 0 };
    });
    const alone: string[] = [];
    for (const asked of all) alone.push(await askAlone(session, asked));
    expect(new Set(alone).size).toBeGreaterThan(8);
    // The second half comes when the first answer has begun.
    let begun: () => void = () => undefined;
    const hasBegun = new Promise<void>(resolve => {
      begun = resolve;
    });
    const first = all.slice(0, 6).map(asked => ask(session, decoder, { ...asked, onText: begun }));
    await hasBegun;
    const second = all.slice(6).map(asked => ask(session, decoder, asked));
    expect(await Promise.all([...first, ...second])).toEqual(alone);
    await session.release();
  });

  it('ends a row whose asker has gone and leaves the others as they are', async () => {
    const { session } = await openSession();
    const decoder = new BatchDecoder(session);
    const [kept, left] = questions.slice(0, 2).map(question => ({ question, adapter: session.baseInputs }));
    const alone = await askAlone(session, kept!);
    const controller = new AbortController();
    const cancelled = ask(session, decoder, { ...left!, signal: controller.signal, onText: () => controller.abort() });
    const refused = expect(cancelled).rejects.toThrow('aborted');
    expect(await ask(session, decoder, kept!)).toBe(alone);
    await refused;
    expect(await ask(session, decoder, kept!)).toBe(alone);
    await session.release();
  });

  it('keeps an error of one row to that row', async () => {
    const { session } = await openSession();
    const decoder = new BatchDecoder(session);
    const prompt = encodePrompt(session.resident, askQuestion(questions[0]!));
    const broken = decoder.decode({
      prompt,
      adapter: session.baseInputs,
      take: () => {
        throw new Error('broken');
      },
    });
    const refused = expect(broken).rejects.toThrow('broken');
    const asked = { question: questions[1]!, adapter: session.baseInputs };
    expect(await ask(session, decoder, asked)).toBe(await askAlone(session, asked));
    await refused;
    await session.release();
  });

  it("gives the logits of a prompt's tokens, those of the last one to the answer too", async () => {
    const { session } = await openSession();
    const prompt = Array.from({ length: 70 }, (_, i) => (i * 37 + 11) % 390);
    const scores: number[] = [];
    let last = 0;
    await new BatchDecoder(session).decode({
      prompt,
      adapter: session.baseInputs,
      onPromptLogits: (logits, position) =>
        scores.push(scoreToken(logits, prompt[position + 1] ?? 0, 0).logProbability),
      take: logits => {
        last = scoreToken(logits, 0, 0).logProbability;
        return undefined;
      },
    });
    expect(scores).toHaveLength(prompt.length);
    expect(last).toBe(scores.at(-1));
    const [logits] = [(await session.extend(prompt.slice(0, 41), session.emptyCache(), session.baseInputs)).logits];
    expect(scores[40]).toBeCloseTo(scoreToken(logits, prompt[41]!, 0).logProbability, 4);
    await session.release();
  });
});
