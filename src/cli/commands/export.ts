/** `tuning-fork export`: the adapter or model of a run, copied to where it is wanted. */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { toWriteError } from '../../core/formats/stagedFile.ts';
import { findRun } from '../../core/runs/runStore.ts';
import { findCompleteFolder } from '../../core/train/stagedFolder.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import { runNames } from '../../shared/runFolder.ts';
import type { Command } from '../command.ts';
import { runsOption, storeFolder } from '../runOptions.ts';

const formats = ['peft'];

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
    if (existsSync(target) && readdirSync(target).length > 0) {
      throw new TuneError('not-writable', `--out ${target}: expected an empty or new folder, got one with files`, {
        file: target,
      });
    }
    try {
      cpSync(source, target, { recursive: true });
    } catch (error) {
      throw toWriteError(error, target);
    }
    output.say(target);
    output.line({ type: 'result', path: target, format });
    return exitCodes.done;
  },
};
