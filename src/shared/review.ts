/** @file Decisions of people on the rows of a dataset, one a line of a file beside it; and what counts when there are several. */
import { z } from 'zod';

export const reviewDecisions = ['accept', 'edit', 'reject'] as const;
export type ReviewDecision = (typeof reviewDecisions)[number];

/** Which rows a run trains on, after what the review says of them. */
export const reviewPolicies = ['notRejected', 'accepted', 'ignore'] as const;
export type ReviewPolicy = (typeof reviewPolicies)[number];

const messagesSchema = z.array(
  z.strictObject({
    role: z.enum(['system', 'user', 'assistant', 'tool']),
    content: z.string(),
    weight: z.literal(0).optional(),
  }),
);

/** A row as it is to be read in place of the one that was edited. */
export const reviewedRowSchema = z.union([
  z.strictObject({ messages: messagesSchema.min(1) }),
  z.strictObject({ prompt: messagesSchema, chosen: messagesSchema.min(1), rejected: messagesSchema.min(1) }),
  z.strictObject({ text: z.string().min(1) }),
]);
export type ReviewedRow = z.infer<typeof reviewedRowSchema>;

export const reviewLineSchema = z
  .strictObject({
    /** Hash of the row's content, so that a decision follows its row wherever that stands. */
    row: z.string().regex(/^[0-9a-f]{16}$/),
    /** ISO 8601, UTC: of several decisions on a row the latest counts. */
    at: z.iso.datetime(),
    decision: z.enum(reviewDecisions),
    reviewer: z.string().min(1).max(200),
    note: z.string().max(10_000).optional(),
    /** With `edit`: what stands in the row's place. */
    edited: reviewedRowSchema.optional(),
  })
  .refine(({ decision, edited }) => (decision === 'edit') === (edited !== undefined), {
    message: 'an edit, and nothing else, has the edited row',
  });
export type ReviewLine = z.infer<typeof reviewLineSchema>;

export interface ReviewCounts {
  rows: number;
  accepted: number;
  edited: number;
  rejected: number;
  pending: number;
  /** Decisions on rows that the dataset no longer holds. */
  orphaned: number;
}

export const reviewStates = ['pending', ...reviewDecisions] as const;
export type ReviewStateName = (typeof reviewStates)[number];

/** A row in the queue, and who decided what, where somebody did. */
export interface QueuedRow {
  key: string;
  file: string;
  line: number;
  state: ReviewStateName;
  reviewer: string;
  note: string;
  messages: { role: string; content: string }[];
}

/** Some rows of those in one state, from a place on. */
export interface ReviewPage {
  counts: ReviewCounts;
  state: ReviewStateName;
  offset: number;
  /** Rows in this state. */
  total: number;
  rows: QueuedRow[];
}

/** Rows by their length in tokens: bin i counts lengths from edges[i] up to, not including, edges[i + 1]. */
export interface TokenHistogram {
  model: string;
  contextTokens: number;
  edges: number[];
  counts: number[];
}
