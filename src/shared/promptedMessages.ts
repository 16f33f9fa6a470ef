/** @file A conversation and the best prompt -> what the base model is asked with that prompt. */
import type { BestPrompt, ChatMessage } from './inferenceProtocol.ts';

/** The same question behind the prompt's system text and examples, which take the place of the row's own system text. */
export function promptedMessages(
  messages: readonly ChatMessage[],
  best: Pick<BestPrompt, 'system' | 'examples'>,
): ChatMessage[] {
  const own = messages.filter(m => m.role === 'system');
  const system: ChatMessage[] = best.system.trim() === '' ? own : [{ role: 'system', content: best.system }];
  const examples = best.examples.flatMap(({ question, answer }): ChatMessage[] => [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ]);
  return [...system, ...examples, ...messages.filter(m => m.role !== 'system')];
}
