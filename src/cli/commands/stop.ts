/** `tuning-fork stop`: the run ends with what it has learned so far. */
import { askRun } from '../askRun.ts';
import type { Command } from '../command.ts';
import { runsOption } from '../runOptions.ts';

export const stop: Command = {
  name: 'stop',
  summary: 'Stop a running or queued run: checkpoint, and keep the best adapter so far.',
  usage: '<run> [--force] [--runs DIR]',
  options: [{ name: 'force', help: 'End its process at once; the last checkpoint stands.' }, runsOption],
  maxPositionals: 1,
  run: (args, output) => askRun('stop', args, output),
};
