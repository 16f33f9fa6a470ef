/** @file What a parent tells a trainer process over its IPC channel, and what comes back. */
import { z } from 'zod';
import type { JsonLine } from './commandLine.ts';
import { endpointKeysSchema } from './endpointKeys.ts';
import type { WireError } from './errors.ts';
import { hubSettingsSchema } from './hubSettings.ts';
import { storedRequestSchema } from './storedRecord.ts';
import { trackerOrdersSchema } from './trackers.ts';

/**
 * The first message a trainer gets. `attached`: the parent wants every event as a message, and the trainer checkpoints
 * and ends when the parent goes away (command line); otherwise the trainer outlives its parent (editor).
 */
export const trainerCommandSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('start'),
    store: z.string(),
    request: storedRequestSchema,
    attached: z.boolean(),
    hub: hubSettingsSchema.optional(),
    endpointKeys: endpointKeysSchema.optional(),
    trackers: trackerOrdersSchema.optional(),
  }),
  z.strictObject({
    type: z.literal('resume'),
    run: z.string(),
    /** The run that started this one: its runs share the device among themselves. */
    group: z.string().optional(),
    attached: z.boolean(),
    hub: hubSettingsSchema.optional(),
    endpointKeys: endpointKeysSchema.optional(),
    /** Its targets are added to those that the run has. */
    trackers: trackerOrdersSchema.optional(),
  }),
  /** Takes a run out of the queue that no process waits for. */
  z.strictObject({ type: z.literal('leave'), run: z.string() }),
]);
export type TrainerCommand = z.infer<typeof trainerCommandSchema>;
/** The commands after which the process works on a run. */
export type WorkCommand = Exclude<TrainerCommand, { type: 'leave' }>;

export type TrainerReply =
  | { type: 'accepted'; id: string; path: string; queued: boolean }
  | { type: 'refused'; error: WireError }
  /** Attached only. */
  | { type: 'event'; line: JsonLine }
  /** Attached only: words for people. */
  | { type: 'note'; text: string };
