/** @file The slots of each mapping kind: `instruction` is Alpaca's, `conversations` ShareGPT's. */
import type { Mapping } from './recipe.ts';

/** Every slot names a field of the file; optional slots may be left out. */
export const mappingSlots = {
  messages: { required: ['messages'], optional: [] },
  conversations: { required: ['conversations'], optional: ['system'] },
  instruction: { required: ['instruction', 'output'], optional: ['input', 'system', 'history'] },
  promptCompletion: { required: ['prompt', 'completion'], optional: ['system'] },
  questionAnswer: { required: ['question', 'answer'], optional: ['context', 'system'] },
  preference: { required: ['chosen', 'rejected'], optional: ['prompt', 'system'] },
  text: { required: ['text'], optional: [] },
} as const satisfies Record<Mapping['kind'], { required: readonly string[]; optional: readonly string[] }>;
