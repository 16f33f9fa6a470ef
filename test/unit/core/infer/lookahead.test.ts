import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DecodingSession } from '../../../../src/core/infer/decodingSession.ts';
import { guessNext, Lookahead } from '../../../../src/core/infer/lookahead.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyChatModel } from '../../../support/tinyChatModel.ts';

describe('guessNext', () => {
  it('gives what came after the same three tokens, the latest time they came', () => {
    expect(guessNext([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3])).toEqual([4, 5, 6, 7]);
    expect(guessNext([1, 2, 3, 4, 1, 2, 3, 9, 1, 2, 3], 2)).toEqual([9, 1]);
    expect(guessNext([7, 7, 7, 7])).toEqual([7]);
  });

  it('gives nothing where they never came, or nothing may', () => {
    expect(guessNext([1, 2, 3, 4, 5, 6])).toEqual([]);
    expect(guessNext([1, 2])).toEqual([]);
    expect(guessNext([1, 2, 3, 4, 1, 2, 3], 0)).toEqual([]);
  });
});

describe('Lookahead', () => {
  /** Repeats itself, and goes another way where the repetition was to end. */
  const answer = [5, 6, 7, 8, 9, 10, 11, 5, 6, 7, 8, 9, 12, 5, 6, 7, 8, 9, 10, 11, 5, 6, 7, 8];
  const prompt = [20, 21, 22, 23];

  async function openSession(): Promise<DecodingSession> {
    const resident = await loadTinyChatModel(writeTinyChatModel(join(temporaryFolder(), 'model')));
    return DecodingSession.create(resident, { threads: 1 });
  }

  it('gives the logits of one token after another, in fewer runs', async () => {
    const session = await openSession();
    const { baseInputs } = session;
    let alone = await session.extend(prompt, session.emptyCache(), baseInputs);
    const start = await session.extend(prompt, session.emptyCache(), baseInputs);
    let runs = 0;
    const counting = Object.assign(Object.create(session), {
      extendGuessed: (...args: Parameters<DecodingSession['extendGuessed']>) => {
        runs++;
        return session.extendGuessed(...args);
      },
    }) as DecodingSession;
    const lookahead = new Lookahead(counting, baseInputs, prompt, start.cache);
    for (const [at, token] of answer.entries()) {
      alone = await session.extend([token], alone.cache, baseInputs);
      const step = await lookahead.extend(token);
      expect(step.cache.tokens).toEqual([prompt.length + at + 1]);
      for (const [i, logit] of step.logits.entries()) expect(Math.abs(logit - alone.logits[i]!)).toBeLessThan(1e-4);
    }
    expect(runs).toBeLessThan(answer.length - 6);
    expect(runs).toBeGreaterThan(8);
    await session.release();
  });
});
