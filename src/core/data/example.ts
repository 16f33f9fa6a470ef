/** @file One row of a dataset after mapping: the border between files and tokens. */

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export interface Message {
  readonly role: Role;
  readonly content: string;
  /** False on an answer that is shown but not learned (OpenAI's `weight: 0`). */
  readonly isTrained?: false | undefined;
}

/** Where a row was read. `line` is 1-based; in a JSON array it is the line on which the element starts. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

/** On rows that a program made: never held out, and counted against a share of their own. */
export interface SyntheticMark {
  /** As it stands in the row: where it came from, by which method and teacher. */
  readonly source: Readonly<Record<string, unknown>> | undefined;
}

export type Example = ExampleContent & { readonly synthetic?: SyntheticMark | undefined };

type ExampleContent =
  | { readonly kind: 'chat'; readonly messages: readonly Message[]; readonly origin: Origin }
  | {
      /** Two answers to one prompt, the first of which is preferred. */
      readonly kind: 'preference';
      readonly prompt: readonly Message[];
      readonly chosen: readonly Message[];
      readonly rejected: readonly Message[];
      readonly origin: Origin;
    }
  | { readonly kind: 'text'; readonly text: string; readonly origin: Origin };

/** What is said in an example: of a preference the prompt and the chosen answer, of running text nothing. */
export function messagesOf(example: Example): readonly Message[] {
  switch (example.kind) {
    case 'chat':
      return example.messages;
    case 'preference':
      return [...example.prompt, ...example.chosen];
    case 'text':
      return [];
  }
}
