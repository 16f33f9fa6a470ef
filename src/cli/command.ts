/** What a command of the command line is, and its arguments once they are checked. */
import { parseArgs } from 'node:util';
import { TuneError } from '../shared/errors.ts';
import type { Output } from './output.ts';

export interface CommandOption {
  /** Without dashes. */
  readonly name: string;
  /** Placeholder of its value, as `k=v`; absent for a switch. */
  readonly value?: string;
  readonly isRepeatable?: boolean;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the name, as `<dataset> --model M`. */
  readonly usage: string;
  readonly options: readonly CommandOption[];
  readonly maxPositionals: number;
  /** More lines for `--help`. */
  readonly details?: string;
  /** The exit code. @throws TuneError; `usage` ends with exit code 2, others with 1 */
  run(args: CommandArguments, output: Output): Promise<number>;
}

/** Understood by every command. */
export const commonOptions: readonly CommandOption[] = [
  { name: 'json', help: 'Write one JSON object a line to standard output and nothing else there.' },
  { name: 'help', help: 'Show this text.' },
];

export class CommandArguments {
  readonly positionals: readonly string[];
  private readonly command: Command;
  private readonly values: ReadonlyMap<string, readonly (string | boolean)[]>;

  constructor(
    command: Command,
    positionals: readonly string[],
    values: ReadonlyMap<string, readonly (string | boolean)[]>,
  ) {
    this.command = command;
    this.positionals = positionals;
    this.values = values;
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  one(name: string): string | undefined {
    const value = this.values.get(name)?.at(-1);
    return typeof value === 'string' ? value : undefined;
  }

  many(name: string): string[] {
    return (this.values.get(name) ?? []).filter(value => typeof value === 'string');
  }

  /** @throws TuneError `usage` */
  required(name: string): string {
    const value = this.one(name);
    if (value !== undefined) return value;
    throw usageError(this.command, `--${name}: expected a value, got nothing`);
  }

  /** @throws TuneError `usage` */
  positional(index: number, label: string): string {
    const value = this.positionals[index];
    if (value !== undefined) return value;
    throw usageError(this.command, `<${label}>: expected one, got nothing`);
  }

  /** A whole number in a range. @throws TuneError `usage` */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.one(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw usageError(this.command, `--${name}: expected a whole number from ${min} to ${max}, got "${text}"`);
  }

  /** @throws TuneError `usage` */
  number(name: string, min: number, max: number): number | undefined {
    const text = this.one(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw usageError(this.command, `--${name}: expected a number from ${min} to ${max}, got "${text}"`);
  }
}

/** @throws TuneError `usage` */
export function parseArguments(command: Command, given: readonly string[]): CommandArguments {
  const all = [...command.options, ...commonOptions];
  const options = Object.fromEntries(
    all.map(({ name, value }) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: true },
    ]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...given], options, allowPositionals: true, strict: true });
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    throw usageError(command, `${reason}`);
  }
  const values = new Map(Object.entries(parsed.values).map(([name, list]) => [name, list as (string | boolean)[]]));
  for (const { name, isRepeatable, value } of all) {
    if (value === undefined || isRepeatable === true || (values.get(name)?.length ?? 0) < 2) continue;
    throw usageError(command, `--${name}: expected it once, got it ${values.get(name)?.length} times`);
  }
  if (parsed.positionals.length > command.maxPositionals) {
    const extra = parsed.positionals[command.maxPositionals];
    throw usageError(command, `"${extra}": expected at most ${command.maxPositionals} arguments, got one more`);
  }
  return new CommandArguments(command, parsed.positionals, values);
}

export function usageError(command: Pick<Command, 'name' | 'usage'>, message: string): TuneError {
  return new TuneError('usage', message, {
    hint: `Usage: tuning-fork ${command.name} ${command.usage}\nMore: tuning-fork ${command.name} --help`,
  });
}
