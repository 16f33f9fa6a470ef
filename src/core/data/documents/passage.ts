/** @file A part of a document with the place where it stands, and a document as a list of them. */

/** A paragraph, a heading, a list item, a block of code. */
export interface Passage {
  readonly text: string;
  /** First and last line in the file, 1-based; null where a file has no lines. */
  readonly lines: readonly [first: number, last: number] | null;
  /** 1-based, of files that have pages. */
  readonly page: number | null;
}

export interface SourceDocument {
  readonly file: string;
  /** Of its bytes. */
  readonly sha256: string;
  readonly passages: readonly Passage[];
}
