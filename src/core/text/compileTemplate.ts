/**
 * @file A chat template's text -> a function that renders conversations, set up as transformers' `apply_chat_template`
 * sets up Jinja2: trim_blocks, lstrip_blocks, loop controls, tojson, raise_exception, strftime_now and the
 * `{% generation %}` tag, whose places in the text come out as spans. It differs on purpose in one thing: strftime_now
 * gives a fixed date, so that a run can be repeated and the tuned model meets the prompt that it was trained with.
 */
import { Environment, parse, tokenize } from '@huggingface/jinja';
import { TuneError } from '../../shared/errors.ts';
import { formatDate } from './pythonStrings.ts';
import { type Program, TemplateInterpreter, TemplateTooCostly } from './templateInterpreter.ts';

/** Half-open range of UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface TemplateMessage {
  readonly role: string;
  readonly content: string;
}

export interface CompiledTemplate {
  readonly hasGenerationTags: boolean;
  /**
   * The text, and what stood inside generation tags.
   * @throws TemplateRefusal when the template itself says no. @throws TuneError `template-invalid` when it fails.
   */
  render(messages: readonly TemplateMessage[], addGenerationPrompt: boolean): { text: string; generated: Span[] };
}

/** The template called raise_exception: this conversation is not for it. */
export class TemplateRefusal extends Error {}

/** Unicode's noncharacters, which never stand in text: messages that hold one are refused before rendering. */
export const noncharacters = /[\uFDD0-\uFDEF]/;
const generationStart = '\uFDD0';
const generationEnd = '\uFDD1';

const longestTemplate = 256 * 1024;
/** The library's patterns are quadratic in runs of white space. */
const longSpace = /\s{4097}/;
const generationTag = /\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}/g;

/** @param variables what the template sees beside the messages: `bos_token`, `eos_token`... */
export function compileTemplate(
  source: string,
  variables: Readonly<Record<string, unknown>>,
  date: Date,
): CompiledTemplate {
  if (source.length > longestTemplate || longSpace.test(source)) {
    throw new TuneError('template-invalid', `chat template: expected at most ${longestTemplate} characters of text`, {
      hint: 'The template of this model is not a usable one: give another with the model.',
    });
  }
  const program = parseTemplate(source);
  return {
    hasGenerationTags: source.search(generationTag) >= 0,
    render: (messages, addGenerationPrompt) => {
      const environment = createEnvironment(date);
      const inputs = {
        ...variables,
        tools: null,
        documents: null,
        messages,
        add_generation_prompt: addGenerationPrompt,
      };
      for (const [name, value] of Object.entries(inputs)) environment.set(name, value);
      const characters = messages.reduce((sum, message) => sum + message.content.length, 0);
      return splitGenerated(runProgram(program, environment, characters));
    },
  };
}

function parseTemplate(source: string): Program {
  if (noncharacters.test(source)) throw invalid('expected text, got a Unicode noncharacter');
  // A tag becomes a block of the same white space control, which writes a marker.
  const marked = source
    .replace(/\r\n?/g, '\n')
    .replace(
      generationTag,
      (_, left: string, end: string | undefined, right: string) =>
        `{%${left === '-' ? '-' : ''} if true %}${end ? generationEnd : generationStart}{% endif ${right === '-' ? '-' : ''}%}`,
    );
  try {
    return parse(tokenize(marked, { lstrip_blocks: true, trim_blocks: true }));
  } catch (error) {
    throw invalid(`expected a Jinja template, got: ${describe(error)}`, error);
  }
}

function createEnvironment(date: Date): Environment {
  const environment = new Environment();
  for (const [name, value] of [
    ['true', true],
    ['false', false],
    ['none', null],
  ] as const) {
    environment.set(name, value);
    environment.set(name[0]!.toUpperCase() + name.slice(1), value);
  }
  environment.set('range', listRange);
  environment.set('strftime_now', (format: unknown) => formatDate(date, String(format)));
  environment.set('raise_exception', (message: unknown) => {
    throw new TemplateRefusal(String(message));
  });
  return environment;
}

/** Python's range as a list; at most 10,000 numbers. */
function listRange(first: unknown, second?: unknown, third?: unknown): number[] {
  const [start, stop] = typeof second === 'number' ? [Number(first), second] : [0, Number(first)];
  const step = typeof third === 'number' ? third : 1;
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= 10_000)) throw new TemplateTooCostly(`range of ${count} numbers`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

function runProgram(program: Program, environment: Environment, inputCharacters: number): string {
  try {
    return String(new TemplateInterpreter(environment, inputCharacters).run(program).value);
  } catch (error) {
    if (error instanceof TemplateRefusal) throw error;
    if (error instanceof TemplateTooCostly)
      throw invalid(`expected a template that ends soon, got ${error.message}`, error);
    throw invalid(`expected it to render, got: ${describe(error)}`, error);
  }
}

function splitGenerated(marked: string): { text: string; generated: Span[] } {
  if (!marked.includes(generationStart)) return { text: marked, generated: [] };
  const generated: Span[] = [];
  let text = '';
  let start: number | null = null;
  for (const part of marked.split(/([\uFDD0\uFDD1])/)) {
    if (part === generationStart) start = text.length;
    else if (part !== generationEnd) text += part;
    else if (start !== null) {
      generated.push({ start, end: text.length });
      start = null;
    }
  }
  return { text, generated };
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function invalid(what: string, cause?: unknown): TuneError {
  return new TuneError('template-invalid', `chat template: ${what}`, {
    hint: 'The chat template of this model cannot be used: choose another model or put a working chat_template into its tokenizer_config.json.',
    cause,
  });
}
