/** `tuning-fork pause`: a checkpoint, then the run ends and frees its memory. */
import { askRun } from '../askRun.ts';
import type { Command } from '../command.ts';
import { runsOption } from '../runOptions.ts';

export const pause: Command = {
  name: 'pause',
  summary: 'Pause a running run: checkpoint, then free the memory.',
  usage: '<run> [--runs DIR]',
  options: [runsOption],
  maxPositionals: 1,
  run: (args, output) => askRun('pause', args, output),
};
