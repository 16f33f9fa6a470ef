/** @file What the augment process answers, and what it asks the editor: new rows for a dataset, and how a grown one has drifted. */
import type { AugmentationRecipe, AugmentationResult } from './augmentation.ts';
import type { DriftReport } from './drift.ts';
import type { HubSettings } from './hubSettings.ts';
import type { ChatMessage } from './inferenceProtocol.ts';
import type { RunRequest } from './recipe.ts';

export type AugmentTeacher =
  | { kind: 'none' }
  /** A language model of the editor, which the editor is asked for each answer of. */
  | { kind: 'editor'; id: string; name: string }
  | { kind: 'endpoint'; baseUrl: string; model: string; apiKey: string | null }
  | { kind: 'local'; model: string; adapter: string | null; name: string };

export interface AugmentOrder {
  dataset: string | null;
  documents: string[];
  recipe: AugmentationRecipe;
  /** New rows that are wanted. */
  rows: number;
  teacher: AugmentTeacher;
  out: string;
  /** Nothing is written but the answers, with which the whole begins. */
  isPreview: boolean;
}

export type AugmentCalls = {
  /** The first call: where models named by a Hub id are looked for. */
  'hub/configure': { parameters: HubSettings; result: null };
  'augment/run': { parameters: AugmentOrder; result: AugmentationResult };
  /** Removes the answers of a preview that nobody wants the whole of. */
  'augment/discard': { parameters: { out: string }; result: null };
  /** Null when no row is new. */
  'drift/measure': { parameters: { dataset: string; run: string }; result: DriftReport | null };
  /** Of a run that goes on from `run` on what is new since. */
  'drift/request': { parameters: { run: string; name: string }; result: RunRequest };
};

export type AugmentEvents = { 'augment/progress': { done: number; total: number } };

/** What the editor answers. */
export type AugmentQuestions = {
  'teacher/answer': {
    parameters: { model: string; messages: ChatMessage[] };
    /** Refused: this conversation gets no answer, others may. */
    result: { kind: 'answer'; text: string } | { kind: 'refused'; reason: string };
  };
};
