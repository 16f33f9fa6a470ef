/** @file `control/`: what somebody asks of a running trainer, taken up once each and answered in files beside the request. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { toWireError } from '../../shared/errors.ts';
import {
  type ControlAnswer,
  type ControlRequest,
  controlAnswerSchema,
  controlRequestSchema,
  runNames,
} from '../../shared/runFolder.ts';
import { makeFolders } from '../formats/makeFolders.ts';
import { toWriteError } from '../formats/stagedFile.ts';
import { readJson, writeJson } from './jsonFile.ts';

const requestPattern = /^([\w-]{1,64})\.json$/;

export interface TakenRequest {
  readonly id: string;
  readonly type: ControlRequest['type'];
}

/** Leaves a request; its id names the answers. @throws TuneError `disk-full` | `not-writable` */
export function requestControl(run: string, type: ControlRequest['type']): string {
  const id = `${Date.now()}-${randomBytes(4).toString('hex')}`;
  const folder = join(run, runNames.control);
  try {
    makeFolders(folder);
  } catch (error) {
    throw toWriteError(error, folder);
  }
  writeJson(join(folder, `${id}.json`), { type });
  return id;
}

/** The requests nobody took up yet, oldest first; each is marked as seen. One that is not a request is answered with an error. */
export function takeControlRequests(run: string): TakenRequest[] {
  const folder = join(run, runNames.control);
  if (!existsSync(folder)) return [];
  const names = new Set(readdirSync(folder));
  const taken: TakenRequest[] = [];
  for (const name of [...names].sort()) {
    const id = requestPattern.exec(name)?.[1];
    if (id === undefined || names.has(`${id}.seen.json`) || names.has(`${id}.done.json`)) continue;
    try {
      const { type } = readJson(join(folder, name), controlRequestSchema);
      writeJson(join(folder, `${id}.seen.json`), { ok: true } satisfies ControlAnswer, false);
      taken.push({ id, type });
    } catch (error) {
      answerControl(run, id, { error: toWireError(error) });
    }
  }
  return taken;
}

export function answerControl(run: string, id: string, answer: ControlAnswer): void {
  writeJson(join(run, runNames.control, `${id}.done.json`), answer, false);
}

/** The answer to a request; undefined while there is none. */
export function readControlAnswer(run: string, id: string): ControlAnswer | undefined {
  const path = join(run, runNames.control, `${id}.done.json`);
  return existsSync(path) ? readJson(path, controlAnswerSchema) : undefined;
}

/** Answers what an ended process left open, so that nobody waits for it and the next process does not obey it. */
export function closeControlRequests(run: string, answer: ControlAnswer): void {
  const folder = join(run, runNames.control);
  if (!existsSync(folder)) return;
  const names = new Set(readdirSync(folder));
  for (const name of names) {
    const id = requestPattern.exec(name)?.[1];
    if (id !== undefined && !names.has(`${id}.done.json`)) answerControl(run, id, answer);
  }
}
