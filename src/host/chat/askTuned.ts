/** @file A conversation -> a tuned run's answer, as it comes, from the inference process. */
import { randomUUID } from 'node:crypto';
import type { ChatMessage, DecodingSettings, GenerationStats } from '../../shared/inferenceProtocol.ts';
import type { ComparedAdapter } from '../compare/compareController.ts';
import type { InferenceClient } from '../compare/inferenceClient.ts';

/** An answer of a model that does not stop by itself ends here. */
export const chatSettings: DecodingSettings = { maxTokens: 1024, temperature: 0, topP: 1, seed: 42 };

export interface Question {
  readonly adapter: ComparedAdapter;
  readonly messages: ChatMessage[];
  readonly settings: DecodingSettings;
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
}

/** @throws TuneError as the model or its answer fails; a cancelled answer ends where it is */
export async function askTuned(
  inference: Pick<InferenceClient, 'call' | 'onDidReceive'>,
  { adapter, messages, settings, signal, onText }: Question,
): Promise<GenerationStats & { text: string }> {
  const id = randomUUID();
  const subscription = inference.onDidReceive(event => {
    if (event.name === 'generation/text' && event.id === id) onText(event.text);
  });
  try {
    const { model, run } = adapter;
    return await inference.call('generation/run', { id, model, adapter: run, messages, settings }, signal);
  } finally {
    subscription.dispose();
  }
}
