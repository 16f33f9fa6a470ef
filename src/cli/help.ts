/** The texts of `tuning-fork --help` and `tuning-fork <command> --help`. */
import { type Command, type CommandOption, commonOptions } from './command.ts';

export function describeProgram(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(command => command.name.length));
  return [
    'Usage: tuning-fork <command> [arguments]',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'tuning-fork <command> --help tells more. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.',
  ].join('\n');
}

export function describeCommand({ name, usage, summary, options, details }: Command): string {
  const shown = [...options, ...commonOptions];
  const width = Math.max(...shown.map(option => heading(option).length));
  return [
    `Usage: tuning-fork ${name} ${usage}`,
    '',
    summary,
    '',
    'Options:',
    ...shown.map(option => `  ${heading(option).padEnd(width)}  ${option.help}`),
    ...(details === undefined ? [] : ['', details]),
  ].join('\n');
}

function heading({ name, value }: CommandOption): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
