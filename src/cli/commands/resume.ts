/** `tuning-fork resume`: goes on with a run from its last checkpoint. */
import { findRun } from '../../core/runs/runStore.ts';
import { runAttachedTrainer } from '../attachedTrainer.ts';
import type { Command } from '../command.ts';
import { runsOption, storeFolder } from '../runOptions.ts';

export const resume: Command = {
  name: 'resume',
  summary: 'Go on with a run that was paused, stopped, interrupted or failed.',
  usage: '<run> [--runs DIR]',
  options: [runsOption],
  maxPositionals: 1,
  details: '<run> is the folder of a run, its id, or a part of its id.',
  run: (args, output) => {
    const run = findRun(args.positional(0, 'run'), storeFolder(args));
    return runAttachedTrainer({ type: 'resume', run, attached: true }, output);
  },
};
