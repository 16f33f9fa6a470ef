/** @file The slots of each mapping kind: `instruction` is Alpaca's, `conversations` ShareGPT's. */
import type { Mapping } from './recipe.ts';

/**
 * Every slot names a field of the file; optional slots may be left out. Rare slots are for files with names of their own,
 * as dataset_info.json describes them: fields of a message, and the names of roles.
 */
const messageSlots = [
  'roleField',
  'textField',
  'userRole',
  'assistantRole',
  'systemRole',
  'toolRole',
  'callRole',
] as const;

export const mappingSlots = {
  messages: { required: ['messages'], optional: ['system', 'tools'], rare: messageSlots },
  conversations: { required: ['conversations'], optional: ['system', 'tools'], rare: messageSlots },
  instruction: { required: ['instruction', 'output'], optional: ['input', 'system', 'history'] },
  promptCompletion: { required: ['prompt', 'completion'], optional: ['system', 'label'] },
  questionAnswer: { required: ['question', 'answer'], optional: ['context', 'system'] },
  preference: { required: ['chosen', 'rejected'], optional: ['prompt', 'system', 'input'] },
  text: { required: ['text'], optional: [] },
} as const satisfies Record<
  Mapping['kind'],
  { required: readonly string[]; optional: readonly string[]; rare?: readonly string[] }
>;
