/** @file Fields of a row that hold text or the turns of a conversation -> their values, or what is wrong with them. */
import type { Message } from '../example.ts';
import { readMessages } from './readMessages.ts';
import { describeType, type Fields, type RowReport } from './rowReport.ts';

/** A text, or TRL's list of messages, which CSV holds as JSON. */
export function readTurns(
  row: Fields,
  field: string,
  role: 'user' | 'assistant',
  report: RowReport,
): Message[] | undefined {
  if (holdsMessages(row[field])) return readMessages(row, field, report);
  const content = readText(row, field, report);
  return content === undefined ? undefined : [{ role, content }];
}

/** A list, or the text of a list of messages. */
function holdsMessages(value: unknown): boolean {
  return Array.isArray(value) || (typeof value === 'string' && messageListPattern.test(value));
}

/** How a list of messages begins where a file holds it as text. */
const messageListPattern = /^\s*\[\s*\{\s*"(?:role|content|from|value)"/;

/** A text that must be there and not be blank; otherwise reports and gives undefined. */
export function readText(row: Fields, field: string, report: RowReport): string | undefined {
  const value = Object.hasOwn(row, field) ? row[field] : undefined;
  if (value === undefined || value === null) {
    const names = Object.keys(row).slice(0, 12).join(', ') || 'no fields';
    const got = value === null ? 'null' : names;
    report.error(
      'field-missing',
      `expected a field "${field}", got ${got}`,
      `Add "${field}" to the row, or choose another mapping.`,
    );
    return undefined;
  }
  if (typeof value !== 'string') {
    report.error(
      'field-type',
      `expected text in "${field}", got ${describeType(value)}`,
      `Write "${field}" as a string.`,
    );
    return undefined;
  }
  if (value.trim() === '') {
    report.error(
      'field-empty',
      `expected text in "${field}", got an empty string`,
      `Fill "${field}" in or delete the row.`,
    );
    return undefined;
  }
  return value;
}

/** A text that may be missing, null or blank. */
export function readOptional(row: Fields, field: string | undefined, report: RowReport): string | undefined {
  const value = field === undefined || !Object.hasOwn(row, field) ? undefined : row[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') {
    report.error(
      'field-type',
      `expected text in "${field}", got ${describeType(value)}`,
      `Write "${field}" as a string or leave it out.`,
    );
    return undefined;
  }
  return value.trim() === '' ? undefined : value;
}
