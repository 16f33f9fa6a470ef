/** @file One row of a dataset after mapping: the border between files and tokens. */

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export interface Message {
  readonly role: Role;
  readonly content: string;
}

/** Where a row was read. `line` is 1-based; in a JSON array it is the line on which the element starts. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

export type Example =
  | { readonly kind: 'chat'; readonly messages: readonly Message[]; readonly origin: Origin }
  | { readonly kind: 'text'; readonly text: string; readonly origin: Origin };
