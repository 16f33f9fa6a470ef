/** @file A parsed row and a mapping -> an example of messages, or what is wrong with the row and how to mend it. */
import type { Mapping } from '../../../shared/recipe.ts';
import type { RowProblem, RowProblemCode } from '../datasetReport.ts';
import type { Example, Message } from '../example.ts';
import { readMark } from '../synthetic.ts';
import { mapPreference } from './mapPreference.ts';
import { describeTools } from './readCalls.ts';
import { readOptional, readText, readTurns } from './readFields.ts';
import { readMessages } from './readMessages.ts';
import { describeType, type Fields, isFields, type RowReport } from './rowReport.ts';

export interface MappedRow {
  /** Undefined when a problem is an error. */
  readonly example: Example | undefined;
  readonly problems: readonly RowProblem[];
}

/** Reads one row. Never throws for what the row holds. */
export function mapRow(file: string, line: number, value: unknown, mapping: Mapping): MappedRow {
  const row = mapContent(file, line, value, mapping);
  const synthetic = row.example !== undefined && isFields(value) ? readMark(value) : undefined;
  return synthetic === undefined ? row : { ...row, example: { ...row.example!, synthetic } };
}

function mapContent(file: string, line: number, value: unknown, mapping: Mapping): MappedRow {
  const problems: RowProblem[] = [];
  const add = (severity: RowProblem['severity']) => (code: RowProblemCode, what: string, fix: string) => {
    problems.push({ severity, file, line, code, message: `${file}:${line}: ${what}`, fix });
  };
  const report: RowReport = { error: add('error'), warn: add('warning') };
  const origin = { file, line };
  if (!isFields(value)) {
    report.error(
      'row-type',
      `expected an object with fields, got ${describeType(value)}`,
      'Write each row as {"field": value, ...}.',
    );
    return { example: undefined, problems };
  }
  if (mapping.kind === 'text') {
    const text = readText(value, mapping.fields.text!, report);
    return { example: text === undefined ? undefined : { kind: 'text', text, origin }, problems };
  }
  if (mapping.kind === 'preference') {
    const pair = mapPreference(value, mapping.fields, report);
    return { example: pair && { kind: 'preference', ...pair, origin }, problems };
  }
  const messages = toMessages(value, mapping, report);
  if (messages !== undefined) checkConversation(messages, report);
  const isBroken = problems.some(problem => problem.severity === 'error');
  return { example: messages === undefined || isBroken ? undefined : { kind: 'chat', messages, origin }, problems };
}

function toMessages(row: Fields, { kind, fields }: Mapping, report: RowReport): Message[] | undefined {
  const system = readOptional(row, fields.system, report);
  switch (kind) {
    case 'messages':
    case 'conversations':
      return addTools(row, fields.tools ?? 'tools', prepend(system, readMessages(row, fields[kind]!, report, fields)));
    case 'promptCompletion': {
      if (isRefused(row, fields.label ?? 'label', report)) return undefined;
      const prompt = readTurns(row, fields.prompt!, 'user', report);
      const completion = readTurns(row, fields.completion!, 'assistant', report);
      return prompt && completion && prepend(system, [...prompt, ...completion]);
    }
    case 'questionAnswer': {
      const context = readOptional(row, fields.context, report);
      const question = readText(row, fields.question!, report);
      const answer = readText(row, fields.answer!, report);
      if (question === undefined || answer === undefined) return undefined;
      return prepend(system, exchange(context === undefined ? question : `${context}\n\n${question}`, answer));
    }
    case 'instruction': {
      const input = readOptional(row, fields.input, report);
      const instruction = readText(row, fields.instruction!, report);
      const output = readText(row, fields.output!, report);
      const history = readHistory(row, fields.history, report);
      if (instruction === undefined || output === undefined || history === undefined) return undefined;
      const question = input === undefined ? instruction : `${instruction}\n\n${input}`;
      return prepend(system, [...history, ...exchange(question, output)]);
    }
    case 'preference':
    case 'text':
      throw new Error(`internal: ${kind} rows are no conversations`);
  }
}

/** Whether the row says that its answer is a bad one (TRL's unpaired preferences, made for KTO). */
function isRefused(row: Fields, field: string, report: RowReport): boolean {
  if (!Object.hasOwn(row, field) || row[field] !== false) return false;
  report.error(
    'label-false',
    `expected an answer to learn, got one with "${field}": false`,
    'Unpaired preferences (KTO) are not trained: delete the row, or pair it with a good answer as prompt, chosen and rejected.',
  );
  return true;
}

/** The tools of a row stand in its system message. */
function addTools(row: Fields, field: string, messages: Message[] | undefined): Message[] | undefined {
  const tools = messages && describeTools(row, field);
  if (messages === undefined || tools === undefined) return messages;
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: tools }, ...messages];
  return [{ role: 'system', content: `${first.content}\n\n${tools}` }, ...rest];
}

function exchange(question: string, answer: string): Message[] {
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ];
}

function prepend(system: string | undefined, messages: Message[] | undefined): Message[] | undefined {
  return system === undefined || messages === undefined ? messages : [{ role: 'system', content: system }, ...messages];
}

/** Earlier exchanges as [question, answer] pairs. */
function readHistory(row: Fields, field: string | undefined, report: RowReport): Message[] | undefined {
  const value = field === undefined ? undefined : row[field];
  if (value === undefined || value === null || value === '') return [];
  const isPair = (pair: unknown): pair is [string, string] =>
    Array.isArray(pair) && pair.length === 2 && pair.every(text => typeof text === 'string');
  if (Array.isArray(value) && value.every(isPair))
    return value.flatMap(([question, answer]) => exchange(question, answer));
  report.error(
    'field-type',
    `expected "${field}" to hold [question, answer] pairs, got ${describeType(value)}`,
    'Write the history as pairs of texts.',
  );
  return undefined;
}

function checkConversation(messages: readonly Message[], report: RowReport): void {
  const answers = messages.filter(message => message.role === 'assistant' && message.content.trim() !== '');
  const hasAssistant = answers.some(({ isTrained }) => isTrained !== false);
  if (!hasAssistant) {
    report.error(
      'assistant-missing',
      answers.length > 0
        ? 'expected at least one assistant message to learn, got "weight": 0 on all of them'
        : 'expected at least one assistant message with text, got none',
      'Add the answer the model is to learn, or delete the row.',
    );
    return;
  }
  const last = messages.at(-1)!;
  if (last.role !== 'assistant') {
    report.error(
      'assistant-not-last',
      `expected the last message to be the assistant's, got role "${last.role}"`,
      'Add the answer or delete the messages after the last one.',
    );
  }
}
