/** @file A wish of the user -> a request file in the run's control folder -> the trainer's answer. */
import { randomBytes } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { type ControlRequest, controlAnswerSchema, runNames } from '../../shared/runFolder.ts';
import { readJsonFile } from './readJsonFile.ts';

export interface ControlTicket {
  id: string;
  type: ControlRequest['type'];
  folder: string;
}

/** Writes the request; a reader never sees half of it. @throws TuneError `not-writable` */
export async function writeControl(run: string, type: ControlRequest['type']): Promise<ControlTicket> {
  const folder = join(run, runNames.control);
  const id = `${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
  const staged = join(folder, `.${id}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(staged, JSON.stringify({ type } satisfies ControlRequest), { flag: 'wx' });
    await rename(staged, join(folder, `${id}.json`));
  } catch (error) {
    throw new TuneError('not-writable', `${folder}: expected a writable folder, got ${(error as Error).message}`, {
      hint: 'Check the permissions and the free space of the disk.',
      cause: error,
    });
  }
  return { id, type, folder };
}

export type ControlProgress = 'written' | 'seen' | { done: true; error: TuneError | undefined };

/** How far the trainer got with a request. */
export async function readControl(ticket: ControlTicket): Promise<ControlProgress> {
  const answer = await readJsonFile(join(ticket.folder, `${ticket.id}.done.json`), controlAnswerSchema);
  if (answer !== undefined) {
    return {
      done: true,
      error: 'error' in answer ? new TuneError(answer.error.code, answer.error.message, answer.error) : undefined,
    };
  }
  return (await exists(join(ticket.folder, `${ticket.id}.seen.json`))) ? 'seen' : 'written';
}

/** Takes back a request that nobody has taken up. */
export async function withdrawControl(ticket: ControlTicket): Promise<void> {
  await rm(join(ticket.folder, `${ticket.id}.json`), { force: true });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
