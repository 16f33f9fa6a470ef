import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodePromptedAnswers } from '../../../../src/core/infer/encodeAnswer.ts';
import { encodePrompt } from '../../../../src/core/infer/encodePrompt.ts';
import { promptedMessages } from '../../../../src/shared/promptedMessages.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyChatModel } from '../../../support/tinyChatModel.ts';

const question = {
  origin: { file: 'rows.jsonl', line: 1 },
  messages: [{ role: 'user' as const, content: 'The dog?' }],
  reference: 'It walks.',
};
const prompt = { system: 'Be kind.', examples: [{ question: 'The fox?', answer: 'It jumps.', line: 2 }] };

describe('encodePromptedAnswers', () => {
  it('measures the answer alone, behind the tokens that the model would be asked with', async () => {
    const resident = await loadTinyChatModel(writeTinyChatModel(join(temporaryFolder(), 'model')));
    const [row] = encodePromptedAnswers(resident, [question], prompt);
    const asked = encodePrompt(resident, promptedMessages(question.messages, prompt));
    expect([...row!.tokenIds.slice(0, asked.length)]).toEqual(asked);
    expect(row!.supervised.indexOf(1)).toBe(asked.length);
    const measured = row!.tokenIds.filter((_, i) => row!.supervised[i] === 1);
    expect(resident.tokenizer.decode(measured, { keepSpecialTokens: true })).toBe('It walks.<|im_end|>');
  });
});
