/** @file A question in front of which examples stand -> token rows in which the answer alone is measured, not the examples'. */
import { promptedMessages } from '../../shared/promptedMessages.ts';
import { encodeSpans } from '../text/encodeSpans.ts';
import type { EncodedRow } from '../text/packedBatch.ts';
import type { AnsweredQuestion } from './answeredQuestion.ts';
import type { Prompt } from './bestPrompt.ts';
import type { PromptEncoder } from './encodePrompt.ts';

/** One row a question; `row` is its index. @throws TuneError `dataset-invalid` when the template refuses the conversation */
export function encodePromptedAnswers(
  { tokenizer, template }: PromptEncoder,
  questions: readonly AnsweredQuestion[],
  prompt: Prompt,
): EncodedRow[] {
  return questions.map(({ messages, reference, origin }, row) => {
    const chat = [...promptedMessages(messages, prompt), { role: 'assistant' as const, content: reference }];
    const { text, assistant } = template.render(chat, origin);
    const { tokenIds, inSpan } = encodeSpans(tokenizer, text, assistant.slice(-1));
    const { addsBos, bosTokenId } = tokenizer;
    const bos = addsBos && bosTokenId !== null && tokenIds[0] !== bosTokenId ? [bosTokenId] : [];
    const supervised = Uint8Array.from([...bos.map(() => 0), ...inSpan]);
    supervised[0] = 0;
    return { row, tokenIds: Int32Array.from([...bos, ...tokenIds]), supervised };
  });
}
