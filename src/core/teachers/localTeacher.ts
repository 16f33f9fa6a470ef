/** @file A model of ours, with or without an adapter, as a teacher: greedy answers decode in groups, drawn ones alone. */
import { TuneError } from '../../shared/errors.ts';
import type { DecodingSettings } from '../../shared/inferenceProtocol.ts';
import { answerTogether, maxGroupRows } from '../infer/answerTogether.ts';
import { encodePrompt } from '../infer/encodePrompt.ts';
import { type Generation, generateText } from '../infer/generateText.ts';
import type { AttachedModel } from '../infer/modelPool.ts';
import type { Conversation, Teacher, TeacherOutcome, TeacherRequest } from './teacher.ts';

export class LocalTeacher implements Teacher {
  readonly name: string;
  private readonly model: AttachedModel;
  private readonly settings: DecodingSettings;
  private readonly onRelease: () => Promise<void>;

  /** @param onRelease frees the model */
  constructor(name: string, model: AttachedModel, settings: DecodingSettings, onRelease: () => Promise<void>) {
    this.name = name;
    this.model = model;
    this.settings = settings;
    this.onRelease = onRelease;
  }

  async answerAll({ conversations, onOutcome, signal }: TeacherRequest): Promise<void> {
    const { session, adapter } = this.model;
    const { temperature, maxTokens } = this.settings;
    const asked: (Conversation & { readonly prompt: number[] })[] = [];
    for (const { row, messages } of conversations) {
      const prompt = this.encode(messages);
      if (typeof prompt === 'string') onOutcome(row, { kind: 'refused', reason: prompt });
      else asked.push({ row, messages, prompt });
    }
    if (temperature > 0) {
      for (const { row, messages } of asked) {
        const settings = { ...this.settings, seed: this.settings.seed + row };
        const generation = await generateText(session, { messages, adapter, settings, signal });
        signal?.throwIfAborted();
        onOutcome(row, toOutcome(generation));
      }
      return;
    }
    for (let from = 0; from < asked.length; from += maxGroupRows) {
      const group = asked.slice(from, from + maxGroupRows);
      const prompts = group.map(({ prompt }) => prompt);
      const generations = await answerTogether(session, { prompts, adapter, maxTokens, signal });
      for (const [i, generation] of generations.entries()) onOutcome(group[i]!.row, toOutcome(generation));
    }
  }

  release(): Promise<void> {
    return this.onRelease();
  }

  /** The prompt's tokens, or why it cannot be asked. */
  private encode(messages: Conversation['messages']): number[] | string {
    const { resident } = this.model.session;
    try {
      const prompt = encodePrompt(resident, messages);
      if (prompt.length < resident.contextTokens) return prompt;
      return `a prompt of ${prompt.length} tokens, the teacher's context has ${resident.contextTokens}`;
    } catch (error) {
      if (error instanceof TuneError && error.code === 'dataset-invalid') return error.message;
      throw error;
    }
  }
}

function toOutcome({ text, stopReason }: Generation): TeacherOutcome {
  if (text.trim() === '') return { kind: 'refused', reason: 'an empty answer' };
  return { kind: stopReason === 'end' ? 'answer' : 'cut', text };
}
