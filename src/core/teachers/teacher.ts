/** @file What every teacher can do: questions in, answers out, whether a model of ours or an endpoint gives them. */
import type { ChatMessage } from '../../shared/inferenceProtocol.ts';

export type TeacherOutcome =
  | { readonly kind: 'answer'; readonly text: string }
  /** An answer that reached its limit of tokens before its end. */
  | { readonly kind: 'cut'; readonly text: string }
  /** This question gets no answer, now or later. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface Conversation {
  /** Its row in the dataset: an answer that is drawn depends on it, and not on what was asked before. */
  readonly row: number;
  /** Ends with a question. */
  readonly messages: readonly ChatMessage[];
}

export interface TeacherRequest {
  readonly conversations: readonly Conversation[];
  /** Told once for each conversation, by its row, as soon as its outcome is known; in any order. `seconds` from its request to its answer, where it had a request of its own. */
  readonly onOutcome: (row: number, outcome: TeacherOutcome, seconds?: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Teacher {
  /** Named in everything that it made. */
  readonly name: string;
  /** Resolves when every conversation has its outcome. @throws TuneError when no more can be had; AbortError when cancelled */
  answerAll(request: TeacherRequest): Promise<void>;
  release(): Promise<void>;
}
