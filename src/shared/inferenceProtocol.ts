/** @file What the inference process answers: one base model with its adapters resident, generating and comparing. */
import type { ForecastReport } from './datasetProtocol.ts';
import type { HubSettings } from './hubSettings.ts';
import type { RunRequest } from './recipe.ts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface DecodingSettings {
  maxTokens: number;
  /** 0 is greedy. */
  temperature: number;
  topP: number;
  seed: number;
}

export interface GenerationStats {
  promptTokens: number;
  outputTokens: number;
  firstTokenMs: number;
  tokensPerSecond: number;
  /** `end` token, `length` limit, or `cancelled`. */
  stopReason: 'end' | 'length' | 'cancelled';
}

/** The strongest prompt found for the base model, shown and editable. */
export interface BestPrompt {
  system: string;
  /** Question and answer rows of the training split, in the order they are shown to the model. */
  examples: { question: string; answer: string; line: number }[];
  /** Mean token F1 on training rows kept aside, for each k tried. */
  scores: { k: number; tokenF1: number }[];
  chosenK: number;
}

export interface HeldOutRow {
  index: number;
  line: number;
  /** Everything before the last answer. */
  messages: ChatMessage[];
  reference: string;
}

export type InferenceCalls = {
  /** The first call: where models named by a Hub id are looked for. */
  'hub/configure': { parameters: HubSettings; result: null };
  /** Loads base weights and tokenizer; a second call for the same model is free. */
  'model/open': { parameters: { model: string }; result: { modelType: string; contextTokens: number; loadMs: number } };
  /** Tokens of a text alone. */
  'text/count': { parameters: { model: string; text: string }; result: { tokens: number } };
  'generation/run': {
    /** `id` names the stream of `generation/text` events; `adapter` is a run or adapter folder, null for the base. */
    parameters: {
      id: string;
      model: string;
      adapter: string | null;
      messages: ChatMessage[];
      settings: DecodingSettings;
    };
    result: GenerationStats & { text: string };
  };
  /** Searches k among 0, 2, 4, 8 on training rows kept aside; progress by `prompt/progress`. */
  'prompt/search': { parameters: { run: string; rows: number }; result: BestPrompt };
  /** Trains parts of the run's model for a few seconds: the forecast with its time, which later forecasts know too. */
  'speed/measure': { parameters: { request: RunRequest }; result: ForecastReport };
  'run/heldOut': {
    parameters: { run: string; offset: number; count: number };
    result: { rows: HeldOutRow[]; total: number };
  };
};
export type InferenceEvents = {
  'generation/text': { id: string; text: string };
  'prompt/progress': { run: string; done: number; total: number };
  'model/progress': { model: string; phase: string; done: number; total: number };
};
