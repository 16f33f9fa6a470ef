/**
 * @file Calls of tools in OpenAI's chat format -> text, which is what is learned: each call as a JSON object between
 * <tool_call> tags, the form that Hermes and Qwen models know; the tools themselves stand in the system message.
 */
import { type Fields, isFields, type RowReport } from './rowReport.ts';

/** The calls of a message as text; null for none, undefined after reporting a broken one. */
export function readCalls(item: Fields, where: string, report: RowReport): string | null | undefined {
  const list = Array.isArray(item.tool_calls) ? item.tool_calls : [];
  const calls = isFields(item.function_call) ? [...list, { function: item.function_call }] : list;
  if (calls.length === 0) return null;
  const texts: string[] = [];
  for (const [index, call] of calls.entries()) {
    const text = writeCall(isFields(call) ? call.function : undefined);
    if (text === undefined) {
      report.error(
        'field-type',
        `expected ${where}.tool_calls[${index}] to have a function with name and arguments, got another shape`,
        'Write each call as {"type": "function", "function": {"name": "...", "arguments": "{...}"}}.',
      );
      return undefined;
    }
    texts.push(text);
  }
  report.warn(
    'tools-as-text',
    `${where}: calls of tools are learned as text between <tool_call> tags`,
    'Nothing to do, as long as whoever uses the model reads calls in that form.',
  );
  return texts.join('\n');
}

function writeCall(called: unknown): string | undefined {
  if (!isFields(called) || typeof called.name !== 'string') return undefined;
  const given = called.arguments ?? {};
  let values: unknown = given;
  if (typeof given === 'string') {
    try {
      values = JSON.parse(given);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return undefined;
    }
  }
  return `<tool_call>\n${JSON.stringify({ name: called.name, arguments: values })}\n</tool_call>`;
}

/** The row's tools as a system text, or undefined when it has none. A JSON string (as in CSV) is read too. */
export function describeTools(row: Fields, field: string): string | undefined {
  const held = Object.hasOwn(row, field) ? row[field] : undefined;
  const tools = typeof held === 'string' ? parseTools(held) : held;
  if (!Array.isArray(tools) || tools.length === 0) return undefined;
  const list = tools.map(tool => JSON.stringify(tool)).join('\n');
  return `You can call these tools, one JSON object between <tool_call> and </tool_call> for each call:\n<tools>\n${list}\n</tools>`;
}

function parseTools(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
