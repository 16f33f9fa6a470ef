import { describe, expect, it } from 'vitest';
import { toConversation } from '../../../../src/host/chat/chatMessages.ts';

describe('toConversation', () => {
  it('joins parts of a message, and neighbours of one role', () => {
    const asked = [
      { role: 'system' as const, parts: ['Be brief.'] },
      { role: 'user' as const, parts: ['Who ', 'are you?'] },
      { role: 'user' as const, parts: ['And where?'] },
      { role: 'assistant' as const, parts: [] },
      { role: 'assistant' as const, parts: ['Here.'] },
    ];
    expect(toConversation(asked)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Who are you?\n\nAnd where?' },
      { role: 'assistant', content: 'Here.' },
    ]);
  });

  it('refuses what is no text, and a conversation without a question', () => {
    expect(() => toConversation([{ role: 'user', parts: ['Look', undefined] }])).toThrow('expected text alone');
    expect(() => toConversation([{ role: 'assistant', parts: ['Hello'] }])).toThrow('expected a question');
  });
});
