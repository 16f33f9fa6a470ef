/** Where a command writes: JSON lines to standard output, words for people to standard error. */
import type { JsonLine } from '../shared/commandLine.ts';
import { toWireError } from '../shared/errors.ts';

export class Output {
  readonly isJson: boolean;
  private readonly isTerminal: boolean;
  private hasProgressLine = false;

  constructor(isJson: boolean) {
    this.isJson = isJson;
    this.isTerminal = process.stderr.isTTY === true;
  }

  /** One JSON line; nothing without `--json`. */
  line(line: JsonLine): void {
    if (this.isJson) process.stdout.write(`${JSON.stringify(line)}\n`);
  }

  /** A line for people, to standard error. */
  say(text: string): void {
    this.clearProgress();
    process.stderr.write(`${text}\n`);
  }

  /** What was asked for: standard output, unless that carries JSON. */
  print(text: string): void {
    if (this.isJson) return;
    this.clearProgress();
    process.stdout.write(`${text}\n`);
  }

  /** A part of what was asked for, as it comes; not for JSON. */
  stream(text: string): void {
    if (this.isJson || text === '') return;
    this.clearProgress();
    process.stdout.write(text);
  }

  /** A line that the next one replaces; only where somebody watches. */
  progress(text: string): void {
    if (!this.isTerminal) return;
    const width = process.stderr.columns ?? 80;
    process.stderr.write(`\r${text.slice(0, width - 1)}\u001b[K`);
    this.hasProgressLine = true;
  }

  fail(error: unknown): void {
    const wire = toWireError(error);
    this.line({ type: 'error', ...wire });
    this.say(`Error: ${wire.message}`);
    if (wire.hint !== undefined) this.say(wire.hint);
    if (wire.code === 'internal' && error instanceof Error && error.stack !== undefined) this.say(error.stack);
  }

  private clearProgress(): void {
    if (this.hasProgressLine) process.stderr.write('\r\u001b[K');
    this.hasProgressLine = false;
  }
}
