#!/usr/bin/env node
/** The command line `tuning-fork`. */
import { version } from '../../package.json';
import { exitCodes } from '../shared/commandLine.ts';
import { TuneError } from '../shared/errors.ts';
import { parseArguments } from './command.ts';
import { commands } from './commands.ts';
import { describeCommand, describeProgram } from './help.ts';
import { Output } from './output.ts';

async function main([name, ...given]: readonly string[]): Promise<number> {
  const output = new Output(given.includes('--json'));
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version}\n`);
    return exitCodes.done;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`${describeProgram(commands)}\n`);
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  const command = commands.find(c => c.name === name);
  try {
    if (command === undefined) {
      const names = commands.map(c => c.name).join(', ');
      throw new TuneError('usage', `command: expected one of ${names}, got "${name}"`, { hint: 'tuning-fork --help' });
    }
    if (given.includes('--help') || given.includes('-h')) {
      process.stdout.write(`${describeCommand(command)}\n`);
      return exitCodes.done;
    }
    return await command.run(parseArguments(command, given), output);
  } catch (error) {
    output.fail(error);
    return error instanceof TuneError && error.code === 'usage' ? exitCodes.usage : exitCodes.failed;
  }
}

// Whoever read the output has left, as `| head` does: there is nobody to work for. A trainer without its parent pauses.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.interrupted);
});
process.exitCode = await main(process.argv.slice(2));
