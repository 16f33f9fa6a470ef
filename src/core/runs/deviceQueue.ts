/**
 * @file One job a device: who computes now and which runs wait, in the user's own folder. Nobody supervises it. Each
 * trainer enters, waits or leaves under a lock, and whoever finds the device free at the head of the queue takes it.
 * Runs of one group (the trials of a search) share a device, as long as nobody else waits before them.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TuneError } from '../../shared/errors.ts';
import { identitySchema, type ProcessIdentity } from '../../shared/runFolder.ts';
import { makeFolders } from '../formats/makeFolders.ts';
import { toWriteError } from '../formats/stagedFile.ts';
import { withFileLock } from './fileLock.ts';
import { readJson, writeJson } from './jsonFile.ts';
import { ensureUserStateFolder, judgeProcess } from './processRegistry.ts';

const holderSchema = z.strictObject({ run: z.string(), identity: identitySchema, group: z.string().nullable() });
type Holder = z.infer<typeof holderSchema>;
const holderPattern = /^holder-[0-9a-f]{32}\.json$/;
const entrySchema = z.strictObject({
  run: z.string(),
  /** The process that waits for its turn; null when one is to be started. */
  waiting: identitySchema.nullable(),
});
type Entry = z.infer<typeof entrySchema> & { readonly path: string };

export interface QueueAnswer {
  /** True when the device is ours now. */
  readonly isTurn: boolean;
  /** Runs before this one, the running one included. */
  readonly ahead: number;
  /** A waiting run without a process, for which the device is free: whoever gets this starts it. */
  readonly startNext: string | undefined;
}

export class DeviceQueue {
  private readonly folder: string;
  private readonly group: string | null;

  /**
   * @param device as the recipe names it, for example `cpu`
   * @param group runs that may hold the device together; absent: alone
   * @throws TuneError `disk-full` | `not-writable`
   */
  constructor(device: string, group?: string) {
    this.group = group ?? null;
    this.folder = join(ensureUserStateFolder(), 'devices', device);
    try {
      makeFolders(join(this.folder, 'queue'), 0o700);
    } catch (error) {
      throw toWriteError(error, this.folder);
    }
  }

  /**
   * Takes the device or a place in the queue; may be repeated. With `isWaiting` this process stays until its turn comes,
   * otherwise the run is started by whoever leaves the device. @throws TuneError `run-busy` when another process has this run
   */
  enter(run: string, identity: ProcessIdentity, isWaiting: boolean): Promise<QueueAnswer> {
    return this.locked(() => {
      const holders = this.readHolders();
      const isBusy = holders.some(holder => holder.run === run && holder.identity.nonce !== identity.nonce);
      if (isBusy) throw toBusyError(run);
      let entries = this.readEntries();
      let own = entries.find(entry => entry.run === run);
      if (own?.waiting != null && own.waiting.nonce !== identity.nonce) throw toBusyError(run);
      const waiting = isWaiting ? identity : null;
      if (own === undefined || own.waiting?.nonce !== waiting?.nonce) {
        const path = own?.path ?? join(this.folder, 'queue', this.nextName(entries));
        writeJson(path, { run, waiting });
        entries = this.readEntries();
        own = entries.find(entry => entry.run === run)!;
      }
      const position = entries.indexOf(own);
      const mayJoin = this.group !== null && holders.every(holder => holder.group === this.group);
      const isTaken = holders.length > 0 && !(mayJoin && position === 0);
      if (isTaken) return { isTurn: false, ahead: position + holders.length, startNext: undefined };
      if (position > 0) return { isTurn: false, ahead: position, startNext: toStart(entries[0]) };
      writeJson(this.holderPath(identity), { run, identity, group: this.group } satisfies Holder);
      rmSync(own.path);
      return { isTurn: true, ahead: 0, startNext: undefined };
    });
  }

  /** Frees the device or gives up the place in the queue; says which run is to be started now, if any. */
  leave(run: string, identity: ProcessIdentity): Promise<string | undefined> {
    return this.locked(() => {
      rmSync(this.holderPath(identity), { force: true });
      const entries = this.readEntries();
      const own = entries.find(entry => entry.run === run && entry.waiting?.nonce === identity.nonce);
      if (own !== undefined) rmSync(own.path, { force: true });
      const isFree = this.readHolders().length === 0;
      return isFree ? toStart(entries.filter(entry => entry !== own)[0]) : undefined;
    });
  }

  /** Takes a run out of the queue that no process waits for. */
  withdraw(run: string): Promise<boolean> {
    return this.locked(() => {
      const entry = this.readEntries().find(e => e.run === run && e.waiting === null);
      if (entry !== undefined) rmSync(entry.path, { force: true });
      return entry !== undefined;
    });
  }

  private holderPath({ nonce }: ProcessIdentity): string {
    return join(this.folder, `holder-${nonce}.json`);
  }

  private locked<T>(act: () => T): Promise<T> {
    return withFileLock(join(this.folder, 'lock'), act);
  }

  /** Without those whose process died holding the device. */
  private readHolders(): Holder[] {
    return readdirSync(this.folder)
      .filter(name => holderPattern.test(name))
      .flatMap(name => {
        const path = join(this.folder, name);
        const holder = readJson(path, holderSchema);
        if (judgeProcess(holder.identity, holder.run) === 'alive') return [holder];
        rmSync(path, { force: true });
        return [];
      });
  }

  /** In order of arrival. Entries of deleted runs and of waiting processes that died are taken out. */
  private readEntries(): Entry[] {
    const folder = join(this.folder, 'queue');
    const names = readdirSync(folder).filter(name => /^\d+\.json$/.test(name));
    return names.sort().flatMap(name => {
      const path = join(folder, name);
      const entry = readJson(path, entrySchema);
      const isAlive = entry.waiting === null || judgeProcess(entry.waiting, entry.run) === 'alive';
      if (isAlive && existsSync(entry.run)) return [{ ...entry, path }];
      rmSync(path, { force: true });
      return [];
    });
  }

  private nextName(entries: readonly Entry[]): string {
    const last = entries.at(-1)?.path ?? '000000000000.json';
    const number = Number(/(\d+)\.json$/.exec(last)![1]) + 1;
    return `${String(number).padStart(12, '0')}.json`;
  }
}

function toStart(head: Entry | undefined): string | undefined {
  return head?.waiting === null ? head.run : undefined;
}

function toBusyError(run: string): TuneError {
  return new TuneError('run-busy', `${run}: expected a run that no process works on, got one that does`, {
    file: run,
    hint: 'Wait for it, or stop it with: tuning-fork stop <run>',
  });
}
