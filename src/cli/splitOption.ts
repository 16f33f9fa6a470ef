/** Which side of a run's split a command looks at. */
import { TuneError } from '../shared/errors.ts';
import type { CommandArguments, CommandOption } from './command.ts';

export const splitOption: CommandOption = {
  name: 'split',
  value: 'heldOut|test',
  help: "The side of the run's split, default heldOut.",
};

/** Training rows are no measure of anything, so they cannot be asked for. @throws TuneError `usage` */
export function readSplit(args: CommandArguments): 'heldOut' | 'test' {
  const text = args.one('split') ?? 'heldOut';
  if (text === 'heldOut' || text === 'test') return text;
  throw new TuneError('usage', `--split: expected heldOut or test, got "${text}"`);
}
