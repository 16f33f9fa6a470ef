/** @file Examples and the decisions on them -> the decision that counts for each row, and the rows that are left to train on. */
import { createHash } from 'node:crypto';
import type { ReviewCounts, ReviewDecision, ReviewedRow, ReviewLine } from '../../../shared/review.ts';
import type { Example, Message } from '../example.ts';
import { contentKey } from '../normalizeQuestion.ts';

/** A row by its content, as decisions name it. */
export function rowKey(example: Example): string {
  return createHash('sha256').update(contentKey(example)).digest('hex').slice(0, 16);
}

export type Decisions = ReadonlyMap<string, ReviewLine>;

/** The latest decision on each row. @param lines sorted by time */
export function latestDecisions(lines: readonly ReviewLine[]): Decisions {
  return new Map(lines.map(line => [line.row, line]));
}

export interface ReviewState {
  readonly decision: ReviewDecision | null;
  /** The decision itself; absent also for a row that has become what an edit said. */
  readonly line?: ReviewLine | undefined;
}

/** What counts for a row. Once an edit was carried over into the dataset itself, the row counts as accepted. */
export class ReviewStates {
  private readonly decisions: Decisions;
  private readonly edited = new Set<string>();

  constructor(lines: readonly ReviewLine[]) {
    this.decisions = latestDecisions(lines);
    for (const { edited } of this.decisions.values()) {
      if (edited !== undefined) this.edited.add(rowKey(toExample(edited, { file: '', line: 1 })));
    }
  }

  find(key: string): ReviewState {
    const line = this.decisions.get(key);
    if (line !== undefined) return { decision: line.decision, line };
    return { decision: this.edited.has(key) ? 'accept' : null };
  }

  /** @param keys of the dataset's rows */
  count(keys: readonly string[]): ReviewCounts {
    const counts = { rows: keys.length, accepted: 0, edited: 0, rejected: 0, pending: 0, orphaned: 0 };
    for (const key of keys) {
      const { decision } = this.find(key);
      if (decision === 'accept') counts.accepted++;
      else if (decision === 'edit') counts.edited++;
      else if (decision === 'reject') counts.rejected++;
      else counts.pending++;
    }
    const present = new Set(keys);
    for (const key of this.decisions.keys()) if (!present.has(key)) counts.orphaned++;
    return counts;
  }
}

/** An edited row as an example of the place where the original stands. */
export function toExample(row: ReviewedRow, origin: Example['origin']): Example {
  const list = (messages: Extract<ReviewedRow, { messages: unknown }>['messages']): Message[] =>
    messages.map(({ role, content, weight }) =>
      weight === 0 ? { role, content, isTrained: false } : { role, content },
    );
  if ('text' in row) return { kind: 'text', text: row.text, origin };
  if ('messages' in row) return { kind: 'chat', messages: list(row.messages), origin };
  const { prompt, chosen, rejected } = row;
  return { kind: 'preference', prompt: list(prompt), chosen: list(chosen), rejected: list(rejected), origin };
}
