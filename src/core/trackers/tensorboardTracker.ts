/**
 * @file A run -> one TensorBoard event file. The file is a pure function of the run's rows: what a killed process wrote beyond
 * the kept length is cut off and written again, byte for byte. Rows that no longer stand are taken back by the record of
 * a session's start, as TensorFlow does after a restart.
 */
import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../formats/makeFolders.ts';
import { toWriteError } from '../formats/stagedFile.ts';
import {
  encodeFileVersion,
  encodeHparams,
  encodeHparamsEnd,
  encodeScalars,
  encodeSessionStart,
  encodeText,
} from './eventRecords.ts';
import { listConfig, listScalars, timeRow } from './reportedNames.ts';
import {
  type RunRest,
  type RunUpdate,
  StartOver,
  type TrackedRun,
  type Tracker,
  type TrackerMemory,
} from './tracker.ts';

/** Inside a run's folder, unless another place was chosen. */
const ownFolderName = 'tensorboard';

export class TensorboardTracker implements Tracker {
  readonly kind = 'tensorboard';
  readonly startsOver = false;
  readonly batchRows = 2000;
  readonly remarks: string[] = [];
  private readonly folder: string | null;
  private run: TrackedRun | undefined;
  private path = '';
  private bytes = 0;

  /** @param folder gets a folder for each run; null: inside the run's own */
  constructor(folder: string | null) {
    this.folder = folder;
  }

  get memory(): TrackerMemory {
    return { path: this.path, bytes: this.bytes };
  }

  get link(): string | null {
    return this.run === undefined ? null : this.placeOf(this.run);
  }

  open(run: TrackedRun, memory: TrackerMemory): Promise<void> {
    this.run = run;
    const folder = this.placeOf(run);
    const startedSeconds = Math.floor(Date.parse(run.record.createdAt) / 1000);
    this.path = join(folder, `events.out.tfevents.${startedSeconds}.${run.id}.0.0`);
    const isKnown = memory.path === this.path && typeof memory.bytes === 'number';
    if (isKnown && !existsSync(this.path)) throw new StartOver(); // somebody removed the file
    this.bytes = isKnown ? (memory.bytes as number) : 0;
    try {
      makeFolders(folder);
    } catch (error) {
      throw toWriteError(error, folder);
    }
    return this.bytes === 0
      ? this.append([encodeFileVersion(startTime(run)), ...describeRecipe(run)])
      : this.append([]);
  }

  async write(updates: readonly RunUpdate[]): Promise<void> {
    const { record } = this.run!;
    const records: Uint8Array[] = [];
    let wallTime = startTime(this.run!);
    for (const update of updates) {
      if (update.type === 'superseded') {
        records.push(encodeSessionStart(wallTime, update.fromStep));
        if (update.fromStep <= 0) records.push(...describeRecipe(this.run!));
      } else if (update.type === 'row') {
        wallTime = timeRow(record, update.row) / 1000;
        records.push(encodeScalars(wallTime, update.row.step, listScalars(update.row)));
      } else {
        const { step, prompt, text } = update.row;
        const number = record.hyperparameters.samplePrompts.indexOf(prompt) + 1;
        records.push(encodeText(wallTime, step, `samples/${number}/text_summary`, `**${prompt}**\n\n${text}`));
      }
    }
    await this.append(records);
  }

  async rest({ state }: RunRest): Promise<void> {
    // A later record of the same kind would not be read: only an end that is one is told.
    if (state !== 'finished' && state !== 'failed') return;
    await this.append([encodeHparamsEnd(startTime(this.run!), state === 'finished')]);
  }

  private placeOf(run: TrackedRun): string {
    return this.folder === null ? join(run.path, ownFolderName) : join(this.folder, run.id);
  }

  private async append(records: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(records);
    let file: FileHandle | undefined;
    try {
      file = await open(this.path, existsSync(this.path) ? 'r+' : 'w+', 0o644);
      await file.truncate(this.bytes);
      for (let done = 0; done < bytes.length; ) {
        done += (await file.write(bytes, done, bytes.length - done, this.bytes + done)).bytesWritten;
      }
    } catch (error) {
      throw toWriteError(error, this.path);
    } finally {
      await file?.close();
    }
    this.bytes += bytes.length;
  }
}

/** @see `Text` and `HParams` in TensorBoard */
function describeRecipe(run: TrackedRun): Uint8Array[] {
  const config = listConfig(run.record);
  const rows = config.map(([name, value]) => `| ${name} | ${String(value).replace(/[|\n\r]/g, ' ')} |`);
  const table = ['| setting | value |', '| --- | --- |', ...rows].join('\n');
  const wallTime = startTime(run);
  return [encodeText(wallTime, 0, 'recipe/text_summary', table), encodeHparams(wallTime, run.id, config)];
}

function startTime(run: TrackedRun): number {
  return Date.parse(run.record.createdAt) / 1000;
}
