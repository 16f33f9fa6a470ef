/**
 * @file What the assistant says in a rendered conversation, for templates without `{% generation %}` tags (nearly all).
 * A turn starts where the prompt of the conversation before it ends, because that is where the model will begin; it ends
 * behind the end-of-turn token. Where the content lies is found by rendering once more with marks around it:
 * 1. The marks hug the trimmed content, so that templates which trim and those which do not both keep them in place.
 * 2. They count only if the text without them is the unmarked text; otherwise prefixes of the conversation decide.
 * 3. A template that rewrites earlier turns (a system message moved to the last question, thoughts dropped) makes no
 *    prompt a prefix: what stands between prompt and content is then looked up in the shorter conversation.
 */
import { TuneError } from '../../shared/errors.ts';
import type { Message } from '../data/example.ts';
import { type CompiledTemplate, type Span, TemplateRefusal } from './compileTemplate.ts';
import { isPythonSpace, stripEnd, stripStart } from './pythonStrings.ts';

export interface SpanFinder {
  findSpans(messages: readonly Message[]): { text: string; assistant: Span[] };
  /** The text up to where the assistant begins, also for templates that ignore `add_generation_prompt`. */
  renderPrompt(messages: readonly Message[]): string;
}

/** What a short conversation shows about a template. */
interface TurnShape {
  /** Header of the assistant's turn that the template leaves out of its prompts. */
  readonly missingHeader: string;
  /** What stands between prompt and content. */
  readonly lead: string;
  /** What may end a turn, without white space before it: one text, or any special token when nothing is known. */
  readonly turnEnds: readonly string[];
}

type Marks = ReadonlyMap<number, { readonly start?: number; readonly end?: number }>;

export function createSpanFinder(template: CompiledTemplate, specialTokens: readonly string[]): SpanFinder {
  const longestFirst = specialTokens.filter(token => token !== '').sort((a, b) => b.length - a.length);
  let known: TurnShape | undefined;
  const shape = () => (known ??= probeTurn(template, longestFirst));
  const renderPrompt = (messages: readonly Message[]) => template.render(messages, true).text + shape().missingHeader;
  return { renderPrompt, findSpans: messages => findSpans(template, messages, shape(), renderPrompt) };
}

function findSpans(
  template: CompiledTemplate,
  messages: readonly Message[],
  { lead, turnEnds }: TurnShape,
  renderPrompt: (messages: readonly Message[]) => string,
): { text: string; assistant: Span[] } {
  const { text } = template.render(messages, false);
  const marks = findMarks(template, messages, text);
  const assistant: Span[] = [];
  let behind = 0;
  for (const [i, message] of messages.entries()) {
    if (message.role !== 'assistant') continue;
    const prompt = renderOrNull(() => renderPrompt(messages.slice(0, i)));
    const upToHere = () => template.render(messages.slice(0, i + 1), false).text;
    const { start: markStart, end: markEnd } = marks.get(i) ?? {};

    let start = markStart;
    if (
      prompt !== null &&
      text.startsWith(prompt) &&
      prompt.length >= behind &&
      prompt.length <= (start ?? text.length)
    ) {
      start = prompt.length;
    } else if (prompt !== null && start !== undefined) {
      const before = text.slice(behind, start);
      const own = findLead(template, messages.slice(0, i + 1), prompt);
      start -= [own, lead].find(text => text !== '' && before.endsWith(text))?.length ?? 0;
    }

    let end = markEnd === undefined ? undefined : passTurnEnd(text, markEnd, turnEnds);
    if (end === undefined) {
      const whole = renderOrNull(upToHere);
      if (whole !== null && text.startsWith(whole)) end = cutBehindTurnEnd(whole, turnEnds);
    }
    if (start === undefined || end === undefined || start < behind || end < start) throw cannotLocate(i);
    if (end > start) assistant.push({ start, end });
    behind = end;
  }
  return { text, assistant };
}

/** What stands between prompt and content in the conversation that ends here; empty when it shows nothing. */
function findLead(template: CompiledTemplate, messages: readonly Message[], prompt: string): string {
  const text = renderOrNull(() => template.render(messages, false).text);
  if (!text?.startsWith(prompt)) return '';
  const start = findMarks(template, messages, text).get(messages.length - 1)?.start;
  return start === undefined ? '' : text.slice(prompt.length, start);
}

/** Behind the end-of-turn token when only white space stands before it. */
function passTurnEnd(text: string, contentEnd: number, turnEnds: readonly string[]): number {
  let position = contentEnd;
  while (position < text.length && isPythonSpace(text[position]!)) position += 1;
  const found = turnEnds.find(turnEnd => text.startsWith(turnEnd, position));
  return found === undefined ? contentEnd : position + found.length;
}

function cutBehindTurnEnd(text: string, turnEnds: readonly string[]): number {
  const trimmed = stripEnd(text, null);
  return turnEnds.some(turnEnd => trimmed.endsWith(turnEnd)) ? trimmed.length : text.length;
}

function probeTurn(template: CompiledTemplate, longestFirst: readonly string[]): TurnShape {
  const turn: Message[] = [
    { role: 'user', content: 'Question' },
    { role: 'assistant', content: 'Answer' },
  ];
  for (const messages of [turn, [{ role: 'system', content: 'System' } as const, ...turn]]) {
    const before = messages.slice(0, -1);
    const text = renderOrNull(() => template.render(messages, false).text);
    const mark = text === null ? undefined : findMarks(template, messages, text).get(messages.length - 1);
    if (text === null || mark?.start === undefined || mark.end === undefined) continue;

    const rest = stripStart(text.slice(mark.end), null);
    const turnEnd = longestFirst.find(token => rest.startsWith(token)) ?? stripEnd(rest, null);
    const prompt = renderOrNull(() => template.render(before, true).text);
    const isIgnored = prompt === renderOrNull(() => template.render(before, false).text);
    const lead = prompt !== null && text.startsWith(prompt) ? text.slice(prompt.length, mark.start) : '';
    const isHeader = isIgnored && !isPythonSpace(lead);
    return {
      turnEnds: turnEnd === '' ? [] : [turnEnd],
      missingHeader: isHeader ? lead : '',
      lead: isHeader ? '' : lead,
    };
  }
  return { missingHeader: '', lead: '', turnEnds: longestFirst };
}

const startMark = '\uFDD2';
const endMark = '\uFDD3';
const markClose = '\uFDDF';
const markPattern = /([\uFDD2\uFDD3])([\uFDD4-\uFDDD]+)\uFDDF/;
const writeMark = (kind: string, index: number): string =>
  kind + Array.from(String(index), digit => String.fromCharCode(0xfdd4 + Number(digit))).join('') + markClose;
const readIndex = (digits: string): number =>
  Number(Array.from(digits, digit => String(digit.charCodeAt(0) - 0xfdd4)).join(''));

/** Where each assistant content lies in `text`, by message; empty when marks change what the template writes. */
function findMarks(template: CompiledTemplate, messages: readonly Message[], text: string): Marks {
  const marked = messages.map((message, i) =>
    message.role === 'assistant' ? { ...message, content: hugContent(message.content, i) } : message,
  );
  const rendered = renderOrNull(() => template.render(marked, false).text);
  const marks = new Map<number, { start?: number; end?: number }>();
  if (rendered === null) return marks;

  const parts = rendered.split(markPattern); // text, kind, digits, text, kind, digits, ..., text
  const repeated = new Set<number>();
  let unmarked = parts[0]!;
  for (let p = 1; p < parts.length; p += 3) {
    const index = readIndex(parts[p + 1]!);
    const mark = marks.get(index) ?? {};
    const side = parts[p] === startMark ? 'start' : 'end';
    if (mark[side] !== undefined) repeated.add(index);
    mark[side] = unmarked.length;
    marks.set(index, mark);
    unmarked += parts[p + 2]!;
  }
  if (unmarked !== text) return new Map();
  for (const index of repeated) marks.delete(index);
  return marks;
}

function hugContent(content: string, index: number): string {
  const core = stripStart(content, null);
  const leading = content.slice(0, content.length - core.length);
  const trimmed = stripEnd(core, null);
  return leading + writeMark(startMark, index) + trimmed + writeMark(endMark, index) + core.slice(trimmed.length);
}

/** Shorter conversations than the one asked for may be refused: that only means that they cannot help. */
function renderOrNull(render: () => string): string | null {
  try {
    return render();
  } catch (error) {
    if (error instanceof TemplateRefusal || error instanceof TuneError) return null;
    throw error;
  }
}

function cannotLocate(message: number): TuneError {
  return new TuneError(
    'template-invalid',
    `chat template: expected to find what the assistant says in message ${message + 1}, but the template rewrites it`,
    { hint: 'Put {% generation %} and {% endgeneration %} around what the assistant says in the chat template.' },
  );
}
