import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AnswerWriter, type WriterSettings, type WrittenPiece } from '../../../../src/core/infer/answerWriter.ts';
import { scoreToken } from '../../../../src/core/infer/tokenScores.ts';
import type { TextTokenizer } from '../../../../src/core/text/tokenizer.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyChatModel } from '../../../support/tinyChatModel.ts';

const plain: WriterSettings = { maxTokens: 100, temperature: 0, topP: 1, seed: 1, stop: [] };

/** Feeds logits whose largest is each token in turn. */
function write(tokenizer: TextTokenizer, tokens: readonly number[], settings: Partial<WriterSettings>) {
  const pieces: WrittenPiece[] = [];
  const writer = new AnswerWriter(tokenizer, { ...plain, ...settings }, piece => pieces.push(piece));
  const taken: (number | undefined)[] = [];
  for (const token of tokens) {
    const logits = new Float32Array(tokenizer.vocabularySize);
    logits[token] = 5;
    taken.push(writer.take(logits));
    if (taken.at(-1) === undefined) break;
  }
  return {
    writer,
    taken,
    text: pieces.map(({ text }) => text).join(''),
    scored: pieces.flatMap(piece => piece.tokens),
  };
}

describe('AnswerWriter', () => {
  it('ends at the end token, the limit and a stop text, and says which', async () => {
    const { tokenizer } = await loadTinyChatModel(writeTinyChatModel(join(temporaryFolder(), 'model')));
    const ids = tokenizer.encode('The quick brown fox');
    const whole = tokenizer.decode(ids);
    const ended = write(tokenizer, [...ids, tokenizer.eosTokenIds[0]!], {});
    expect(ended).toMatchObject({ text: whole, writer: { stopReason: 'stop', outputTokens: ids.length + 1 } });
    const limited = write(tokenizer, ids, { maxTokens: 3 });
    expect(limited.taken).toEqual([ids[0], ids[1], undefined]);
    expect(limited).toMatchObject({ text: tokenizer.decode(ids.slice(0, 3)), writer: { stopReason: 'length' } });
    const stop = whole.slice(6, 9);
    const stopped = write(tokenizer, ids, { stop: [stop], scored: 2 });
    expect(stopped).toMatchObject({ text: whole.slice(0, whole.indexOf(stop)), writer: { stopReason: 'stop' } });
    // Scores are of tokens whose text is shown, at least in part.
    expect(stopped.scored.every(({ textOffset }) => textOffset < stopped.text.length)).toBe(true);
    expect(write(tokenizer, ids, { maxTokens: 0 }).taken).toEqual([undefined]);
  });

  it('scores each token once, where its text begins', async () => {
    const { tokenizer } = await loadTinyChatModel(writeTinyChatModel(join(temporaryFolder(), 'model')));
    const ids = tokenizer.encode('The quick brown fox');
    const { scored, text } = write(tokenizer, ids, { scored: 3, maxTokens: ids.length });
    expect(scored.map(({ tokenId }) => tokenId)).toEqual(ids);
    for (const [i, { textOffset, likeliest, logProbability, tokenId }] of scored.entries()) {
      expect(text.slice(textOffset).trimStart().startsWith(tokenizer.tokenText(ids[i]!).trim())).toBe(true);
      expect(likeliest).toHaveLength(3);
      expect(likeliest[0]).toEqual({ tokenId, logProbability });
    }
  });
});

describe('scoreToken', () => {
  it('gives the logarithm of the softmax, and of equal tokens the first', () => {
    const logits = Float32Array.of(1, 3, 3, -2);
    const sum = [1, 3, 3, -2].reduce((total, logit) => total + Math.exp(logit), 0);
    const { logProbability, likeliest } = scoreToken(logits, 0, 2);
    expect(logProbability).toBeCloseTo(1 - Math.log(sum), 6);
    expect(likeliest.map(({ tokenId }) => tokenId)).toEqual([1, 2]);
  });
});
