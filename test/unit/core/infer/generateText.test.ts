import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../src/core/adapter/readAdapter.ts';
import { makeAdapterInputs } from '../../../../src/core/infer/adapterInputs.ts';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { encodePrompt } from '../../../../src/core/infer/encodePrompt.ts';
import { type GenerationRequest, generateText } from '../../../../src/core/infer/generateText.ts';
import { TuneError } from '../../../../src/shared/errors.ts';
import { makeTemporaryFolder, temporaryFolder } from '../../../support/temporaryFolder.ts';
import {
  loadTinyChatModel,
  tinyChatModel,
  writeTinyAdapter,
  writeTinyChatModel,
} from '../../../support/tinyChatModel.ts';

const messages = [{ role: 'user', content: 'The quick fox walks around the dog.' }] as const;
const greedy = { maxTokens: 24, temperature: 0, topP: 1, seed: 1 };

describe('generateText', () => {
  let session: DecodingSession;
  const folder = makeTemporaryFolder();

  beforeAll(async () => {
    const resident = await loadTinyChatModel(writeTinyChatModel(join(folder.path, 'model')));
    session = await DecodingSession.create(resident, { threads: 1 });
  });
  afterAll(async () => {
    await session.release();
    folder.remove();
  });

  const generate = (request: Partial<GenerationRequest> = {}) =>
    generateText(session, { messages, adapter: session.baseInputs, settings: greedy, ...request });

  it('gives the tokens of a loop that takes the likeliest each time', async () => {
    const { tokenIds, promptTokens, outputTokens } = await generate();
    const { eosTokenIds } = session.resident.tokenizer;
    const prompt = encodePrompt(session.resident, messages);
    let step = await session.extend(prompt, session.emptyCache(), session.baseInputs);
    const expected: number[] = [];
    for (;;) {
      const token = step.logits.indexOf(Math.max(...step.logits));
      expected.push(token);
      if (expected.length === greedy.maxTokens || eosTokenIds.includes(token)) break;
      step = await session.extend([token], step.cache, session.baseInputs);
    }
    expect(tokenIds).toEqual(expected);
    expect([promptTokens, outputTokens]).toEqual([prompt.length, expected.length]);
  });

  it('streams the text that it returns, which is that of the tokens', async () => {
    const pieces: string[] = [];
    const { text, tokenIds } = await generate({ onText: piece => pieces.push(piece) });
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(text);
    expect(session.resident.tokenizer.decode(tokenIds)).toBe(text);
  });

  it('answers otherwise with an adapter, and as before without it', async () => {
    const before = await generate();
    const adapter = readAdapter(writeTinyAdapter(join(folder.path, 'adapter'), { strength: 2 }));
    const tuned = await generate({ adapter: makeAdapterInputs(tinyChatModel, adapter) });
    const after = await generate();
    expect(tuned.tokenIds).not.toEqual(before.tokenIds);
    expect(after.tokenIds).toEqual(before.tokenIds);
  });

  it('stops at the number of tokens asked for', async () => {
    const result = await generate({ settings: { ...greedy, maxTokens: 3 } });
    expect(result.outputTokens).toBe(3);
    expect(result.stopReason).toBe('length');
  });

  it('stops at any end token and leaves it out of the text', async () => {
    const { tokenizer } = session.resident;
    const whole = await generate();
    const at = whole.tokenIds.findIndex((id, i) => i > 2 && whole.tokenIds.indexOf(id) === i);
    const eosTokenIds = [...tokenizer.eosTokenIds, whole.tokenIds[at]!];
    const resident = { ...session.resident, tokenizer: { ...tokenizer, eosTokenIds } };
    const ending = await DecodingSession.create(resident, { threads: 1 });
    const result = await generateText(ending, { messages, adapter: ending.baseInputs, settings: greedy });
    expect(result.stopReason).toBe('end');
    expect(result.tokenIds).toEqual(whole.tokenIds.slice(0, at + 1));
    expect(result.text).toBe(tokenizer.decode(whole.tokenIds.slice(0, at)));
    await ending.release();
  });

  it('repeats a sampled answer with the same seed and gives others with other seeds', async () => {
    const sample = async (seed: number) =>
      (await generate({ settings: { maxTokens: 16, temperature: 1, topP: 0.95, seed } })).tokenIds;
    const [first, again] = await Promise.all([sample(7), sample(7)]);
    expect(again).toEqual(first);
    expect(await sample(8)).not.toEqual(first);
  });

  it('ends where it is when cancelled, with the text so far', async () => {
    const controller = new AbortController();
    let pieces = 0;
    const result = await generate({
      signal: controller.signal,
      onText: () => {
        if (++pieces === 3) controller.abort();
      },
    });
    expect(result.stopReason).toBe('cancelled');
    expect(result.outputTokens).toBeLessThan(greedy.maxTokens);
    expect(result.text.length).toBeGreaterThan(0);
  });

  it('gives no text when cancelled before it began', async () => {
    const result = await generate({ signal: AbortSignal.abort() });
    expect([result.text, result.outputTokens, result.stopReason]).toEqual(['', 0, 'cancelled']);
  });

  it('shortens the answer to what the context leaves', async () => {
    const content = 'fox '.repeat(120);
    const result = await generate({ messages: [{ role: 'user', content }], settings: { ...greedy, maxTokens: 1000 } });
    expect(result.promptTokens + result.outputTokens).toBeLessThanOrEqual(session.resident.contextTokens);
  });

  it('refuses a prompt that fills the context', async () => {
    const content = 'fox '.repeat(600);
    await expect(generate({ messages: [{ role: 'user', content }] })).rejects.toThrow(
      /expected fewer tokens than the model's context of 512, got \d+/,
    );
  });
});

describe('encodePrompt', () => {
  it('puts exactly one BOS where the model wants one', async () => {
    const resident = await loadTinyChatModel(writeTinyChatModel(join(temporaryFolder(), 'model')));
    const plain = encodePrompt(resident, messages);
    const [bosTokenId] = plain;
    const wanting = { ...resident, tokenizer: { ...resident.tokenizer, addsBos: true, bosTokenId: 399 } };
    expect(encodePrompt(wanting, messages)).toEqual([399, ...plain]);
    const writing = { ...resident, tokenizer: { ...resident.tokenizer, addsBos: true, bosTokenId: bosTokenId! } };
    expect(encodePrompt(writing, messages)).toEqual(plain);
  });

  it('puts the system text before the question where the template takes no system message', async () => {
    const resident = await loadTinyChatModel(writeTinyChatModel(join(temporaryFolder(), 'model')));
    const refusing = {
      ...resident.template,
      renderPrompt: (given: readonly { role: string; content: string }[]) => {
        if (given[0]?.role === 'system') throw new TuneError('dataset-invalid', 'no system messages');
        return given.map(({ content }) => content).join('|');
      },
    };
    const ids = encodePrompt({ ...resident, template: refusing }, [
      { role: 'system', content: 'Be kind.' },
      ...messages,
    ]);
    expect(resident.tokenizer.decode(ids)).toBe(`Be kind.\n\n${messages[0].content}`);
  });
});
