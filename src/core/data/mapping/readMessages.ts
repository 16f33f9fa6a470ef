/** @file A field with a list of messages (OpenAI's role/content, ShareGPT's from/value, or names of its own) -> messages. */
import type { Message, Role } from '../example.ts';
import { readCalls } from './readCalls.ts';
import { knownRoleNames, toRole } from './roles.ts';
import { describeType, type Fields, isFields, type RowReport } from './rowReport.ts';

/** Names of a file's own for the fields of a message and for roles. */
export type MessageNames = Readonly<Record<string, string>>;

/** The messages of `row[field]`, or undefined after reporting why there are none. A JSON string (as in CSV) is read too. */
export function readMessages(
  row: Fields,
  field: string,
  report: RowReport,
  names: MessageNames = {},
): Message[] | undefined {
  const list = readList(row, field, report);
  if (list === undefined) return undefined;
  const messages: Message[] = [];
  for (const [index, item] of list.entries()) {
    const message = readMessage(item, `${field}[${index}]`, report, names);
    if (message === undefined) return undefined;
    messages.push(message);
  }
  return messages;
}

function readList(row: Fields, field: string, report: RowReport): readonly unknown[] | undefined {
  const held = Object.hasOwn(row, field) ? row[field] : undefined;
  const value = typeof held === 'string' ? parseList(held) : held;
  if (value === undefined) {
    const names = Object.keys(row).slice(0, 12).join(', ') || 'no fields';
    report.error(
      'field-missing',
      `expected a field "${field}" with messages, got ${names}`,
      `Add "${field}" to the row, or choose another mapping.`,
    );
    return undefined;
  }
  if (!Array.isArray(value)) {
    report.error(
      'field-type',
      `expected a list of messages in "${field}", got ${describeType(value)}`,
      `Write "${field}" as [{"role": "user", "content": "..."}, ...].`,
    );
    return undefined;
  }
  if (value.length === 0) {
    report.error(
      'field-empty',
      `expected messages in "${field}", got an empty list`,
      'Add messages or delete the row.',
    );
    return undefined;
  }
  return value;
}

/** The list that a text holds as JSON, else the text itself. */
function parseList(text: string): unknown {
  if (!text.trimStart().startsWith('[')) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function readMessage(item: unknown, where: string, report: RowReport, names: MessageNames): Message | undefined {
  if (!isFields(item)) {
    report.error(
      'field-type',
      `expected ${where} to be a message, got ${describeType(item)}`,
      'Write each message as {"role": "user", "content": "..."}.',
    );
    return undefined;
  }
  const isShareGpt = !Object.hasOwn(item, 'role') && Object.hasOwn(item, 'from');
  const usual = isShareGpt ? { role: 'from', text: 'value' } : { role: 'role', text: 'content' };
  const roleField = names.roleField ?? usual.role;
  const textField = names.textField ?? usual.text;
  const name = item[roleField];
  if (typeof name !== 'string') {
    report.error(
      'field-missing',
      `expected ${where} to have "${roleField}", got ${describeType(name)}`,
      `Add "${roleField}": ${knownRoleNames}.`,
    );
    return undefined;
  }
  const role = findRole(name, names);
  if (role === undefined) {
    report.error(
      'role-unknown',
      `expected ${where}.${roleField} to be ${knownRoleNames}, got "${name}"`,
      'Rename the role.',
    );
    return undefined;
  }
  const content = readContent(item, textField, role, where, report);
  if (content === undefined) return undefined;
  return role === 'assistant' && item.weight === 0 ? { role, content, isTrained: false } : { role, content };
}

const namedRoles = {
  userRole: 'user',
  assistantRole: 'assistant',
  systemRole: 'system',
  toolRole: 'tool',
  callRole: 'assistant',
} as const satisfies Record<string, Role>;

function findRole(name: string, names: MessageNames): Role | undefined {
  for (const [slot, role] of Object.entries(namedRoles)) if (names[slot] === name) return role;
  return toRole(name);
}

function readContent(item: Fields, field: string, role: string, where: string, report: RowReport): string | undefined {
  const value = item[field];
  const calls = role === 'assistant' ? readCalls(item, where, report) : null;
  if (calls === undefined) return undefined;
  const given = Array.isArray(value) ? joinParts(value) : value;
  const text =
    calls === null ? given : [given, calls].filter(part => typeof part === 'string' && part !== '').join('\n');
  if (typeof text !== 'string') {
    const got = Array.isArray(value) ? 'parts that are not text' : describeType(value);
    const code = value === undefined ? 'field-missing' : 'field-type';
    report.error(code, `expected text in ${where}.${field}, got ${got}`, `Write "${field}" as a string.`);
    return undefined;
  }
  if (text.trim() === '' && role !== 'system' && role !== 'tool') {
    report.error(
      'field-empty',
      `expected text in ${where}.${field}, got an empty string`,
      'Fill the message in or delete the row.',
    );
    return undefined;
  }
  return text;
}

/** OpenAI's content parts `{type: 'text', text}` as one text; undefined when a part is something else. */
function joinParts(parts: readonly unknown[]): string | undefined {
  const texts: string[] = [];
  for (const part of parts) {
    if (!isFields(part) || part.type !== 'text' || typeof part.text !== 'string') return undefined;
    texts.push(part.text);
  }
  return texts.join('');
}
