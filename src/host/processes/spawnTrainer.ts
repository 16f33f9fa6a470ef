/** @file A trainer command -> a detached trainer that has accepted it. */
import { fromWireError } from '../../shared/errors.ts';
import type { TrainerCommand, TrainerReply } from '../../shared/trainerProtocol.ts';
import { askChild } from './askChild.ts';
import type { ChildCommand } from './childPrograms.ts';

export type AcceptedRun = Extract<TrainerReply, { type: 'accepted' }>;
/** To a trainer that is not attached nothing else is said. */
type Answer = AcceptedRun | Extract<TrainerReply, { type: 'refused' }>;

/** Starts a trainer that outlives the editor. @throws TuneError as the trainer refused it, or `process-ended` */
export async function spawnTrainer(
  command: ChildCommand,
  order: TrainerCommand,
  timeoutMs = 60_000,
): Promise<AcceptedRun> {
  const reply = await askChild<Answer>(command, order, timeoutMs);
  if (reply.type === 'refused') throw fromWireError(reply.error);
  return reply;
}
