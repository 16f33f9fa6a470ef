/** `tuning-fork export`: the adapter or model of a run, copied to where it is wanted. */
import { closeSync, existsSync, openSync, readdirSync, readSync, rmdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readAdapter } from '../../core/adapter/readAdapter.ts';
import { toWriteError } from '../../core/formats/stagedFile.ts';
import { findRun } from '../../core/runs/runStore.ts';
import { createFolder, findCompleteFolder, nodeFolderFileSystem } from '../../core/train/stagedFolder.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import { runNames } from '../../shared/runFolder.ts';
import type { Command } from '../command.ts';
import { runsOption, storeFolder } from '../runOptions.ts';

const formats = ['peft'];
const pieceBytes = 16 * 1024 * 1024;

export const exportRun: Command = {
  name: 'export',
  summary: 'Copy the adapter of a run, in PEFT format, to a folder.',
  usage: '<run> --format peft --out DIR [--runs DIR]',
  options: [
    { name: 'format', value: 'F', help: `One of: ${formats.join(', ')}.` },
    { name: 'out', value: 'DIR', help: 'Folder to be made; an existing one must be empty.' },
    runsOption,
  ],
  maxPositionals: 1,
  run: async (args, output) => {
    const run = findRun(args.positional(0, 'run'), storeFolder(args));
    const format = args.required('format');
    if (!formats.includes(format)) {
      throw new TuneError('usage', `--format: expected one of ${formats.join(', ')}, got "${format}"`);
    }
    const target = resolve(args.required('out'));
    const source = findCompleteFolder(join(run, runNames.adapter));
    if (source === undefined) {
      throw new TuneError('run-invalid', `${run}: expected a run with an adapter, got none`, {
        file: run,
        hint: 'A run has an adapter after its first held-out evaluation or when it has ended; a full run leaves its model in model/.',
      });
    }
    // What cannot be read here could not be used there.
    readAdapter(source);
    makeRoom(target);
    createFolder(target, listFiles(source), () => [], nodeFolderFileSystem);
    output.say(target);
    output.line({ type: 'result', path: target, format });
    return exitCodes.done;
  },
};

/** Takes away an empty folder that stands where the new one goes. @throws TuneError `not-writable` */
function makeRoom(target: string): void {
  if (!existsSync(target)) return;
  try {
    if (readdirSync(target).length === 0) {
      rmdirSync(target);
      return;
    }
  } catch (error) {
    throw toWriteError(error, target);
  }
  throw new TuneError('not-writable', `--out ${target}: expected an empty or new folder, got one with files`, {
    file: target,
    hint: 'Name another folder, or empty this one.',
  });
}

function listFiles(folder: string) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => ({ name, pieces: readPieces(join(folder, name)) }));
}

function* readPieces(path: string): Generator<Uint8Array> {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(pieceBytes);
    for (let bytes = readSync(descriptor, buffer); bytes > 0; bytes = readSync(descriptor, buffer)) {
      yield buffer.subarray(0, bytes);
    }
  } finally {
    closeSync(descriptor);
  }
}
