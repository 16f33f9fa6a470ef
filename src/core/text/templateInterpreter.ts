/**
 * @file The Jinja interpreter for chat templates: @huggingface/jinja with the places mended in which it differs from
 * Jinja2 (loop scope, text before `break`, `==`, what `strip` removes, how None and booleans print), and with a work budget,
 * because a template is code from a model file that nobody has read. The budget counts evaluations and the size of their
 * values, so that the same template stops at the same place on every machine.
 */
import { Environment, Interpreter, type parse } from '@huggingface/jinja';
import { stripEnd, stripStart } from './pythonStrings.ts';

export type Program = ReturnType<typeof parse>;
type Value = ReturnType<Interpreter['run']>;
type Statement = Parameters<Interpreter['evaluate']>[0];
type Node = NonNullable<Statement>;

interface If extends Node {
  readonly test: Node;
  readonly body: Node[];
  readonly alternate: Node[];
}
interface For extends Node {
  readonly loopvar: Node;
  readonly iterable: Node;
  readonly body: Node[];
  readonly defaultBlock: Node[];
}
interface Binary extends Node {
  readonly operator: { readonly value: string };
  readonly left: Node;
  readonly right: Node;
}
interface Call extends Node {
  readonly callee: Node;
  readonly args: Node[];
}
interface Filter extends Node {
  readonly operand: Node;
  readonly filter: Node;
}
interface Member extends Node {
  readonly object: Node;
  readonly property: Node;
  readonly computed: boolean;
}
interface Select extends Node {
  readonly lhs: Node;
  readonly test: Node;
}

/** Evaluations and rounds of loops, plus the elements and a sixteenth of the characters that they produce. */
const baseWork = 5_000_000;
const workPerCharacter = 4;
const roundCost = 20;
/** Characters or elements. */
const longestValue = 16 * 1024 * 1024;

/** The template asked for more work than any honest one needs. */
export class TemplateTooCostly extends Error {}

/** `break` or `continue` on its way to its loop, with the text that was written before it. */
class LoopExit extends Error {
  readonly kind: 'break' | 'continue';
  text = '';
  constructor(kind: 'break' | 'continue') {
    super(`${kind} outside of a loop`);
    this.kind = kind;
  }
}

const silentStatements = new Set(['Set', 'Macro', 'Comment', 'If', 'For', 'CallStatement', 'FilterStatement']);
const stripMethods = new Set(['strip', 'lstrip', 'rstrip']);

/** A runtime value of the library, whose classes it does not export. */
export function toRuntimeValue(value: unknown): Value {
  converter.variables.clear();
  return converter.set('value', value);
}
const converter = new Environment();

export class TemplateInterpreter extends Interpreter {
  readonly #limit: number;
  #work = 0;

  /** @param inputCharacters of the conversation: longer ones may take more work. */
  constructor(environment: Environment, inputCharacters: number) {
    super(environment);
    this.#limit = baseWork + workPerCharacter * inputCharacters;
  }

  override evaluate(statement: Statement, environment: Environment): Value {
    this.#spend(1);
    const value = this.#evaluateAsJinja2(statement, environment);
    if (typeof value.value === 'string' || Array.isArray(value.value)) {
      const size = value.value.length;
      if (size > longestValue) throw new TemplateTooCostly(`a value of ${size} elements`);
      this.#spend(Array.isArray(value.value) ? size : size / 16);
    }
    return value;
  }

  #spend(amount: number): void {
    this.#work += amount;
    if (this.#work > this.#limit) throw new TemplateTooCostly(`more than ${this.#limit} steps`);
  }

  #evaluateAsJinja2(statement: Statement, environment: Environment): Value {
    switch (statement?.type) {
      case 'Program':
        return toRuntimeValue(this.#renderBlock((statement as unknown as { body: Node[] }).body, environment));
      case 'If': {
        const { test, body, alternate } = statement as If;
        const holds = this.evaluate(test, environment).__bool__().value;
        return toRuntimeValue(this.#renderBlock(holds ? body : alternate, environment));
      }
      case 'For':
        return toRuntimeValue(this.#renderLoop(statement as For, environment));
      case 'Break':
        throw new LoopExit('break');
      case 'Continue':
        throw new LoopExit('continue');
      case 'BinaryExpression': {
        const { operator, left, right } = statement as Binary;
        if (operator.value !== '==' && operator.value !== '!=') return super.evaluate(statement, environment);
        const equal = isEqual(this.evaluate(left, environment), this.evaluate(right, environment));
        return toRuntimeValue(equal === (operator.value === '=='));
      }
      case 'CallExpression':
        return this.#evaluateStrip(statement as Call, environment) ?? super.evaluate(statement, environment);
      case 'FilterExpression':
        return this.#evaluateTrim(statement as Filter, environment) ?? super.evaluate(statement, environment);
      default:
        return super.evaluate(statement, environment);
    }
  }

  #renderBlock(statements: readonly Node[], environment: Environment): string {
    let text = '';
    for (const statement of statements) {
      try {
        text += printValue(statement, this.evaluate(statement, environment));
      } catch (error) {
        if (error instanceof LoopExit) error.text = text + error.text;
        throw error;
      }
    }
    return text;
  }

  /** Each round has a scope of its own: what is set in one round is not seen in the next. */
  #renderLoop({ loopvar, iterable, body, defaultBlock }: For, environment: Environment): string {
    const select = iterable.type === 'SelectExpression' ? (iterable as Select) : null;
    const all = listItems(this.evaluate(select ? select.lhs : iterable, environment));
    const items = select
      ? all.filter(item => this.evaluate(select.test, bindTarget(loopvar, item, environment)).__bool__().value)
      : all;
    let text = '';
    let isCompleted = false;
    for (const [index, item] of items.entries()) {
      this.#spend(roundCost);
      const scope = bindTarget(loopvar, item, environment);
      scope.setVariable('loop', loopVariable(items, index));
      try {
        text += this.#renderBlock(body, scope);
        isCompleted = true;
      } catch (error) {
        if (!(error instanceof LoopExit)) throw error;
        text += error.text;
        if (error.kind === 'break') break;
      }
    }
    // Jinja2 writes the else part also when no round came to its end.
    return isCompleted ? text : text + this.#renderBlock(defaultBlock, environment);
  }

  /** `text.strip('x')` and its siblings; undefined for every other call. */
  #evaluateStrip({ callee, args }: Call, environment: Environment): Value | undefined {
    if (callee.type !== 'MemberExpression') return undefined;
    const { object, property, computed } = callee as Member;
    const method = (property as unknown as { value: unknown }).value;
    if (computed || typeof method !== 'string' || !stripMethods.has(method) || args.length > 1) return undefined;
    const text = this.evaluate(object, environment).value;
    if (typeof text !== 'string') return undefined;
    const given = args[0] ? this.evaluate(args[0], environment).value : null;
    const characters = typeof given === 'string' ? given : null;
    const start = method === 'rstrip' ? text : stripStart(text, characters);
    return toRuntimeValue(method === 'lstrip' ? start : stripEnd(start, characters));
  }

  /** `text | trim`; undefined for every other filter. */
  #evaluateTrim({ operand, filter }: Filter, environment: Environment): Value | undefined {
    if (filter.type !== 'Identifier' || (filter as unknown as { value: string }).value !== 'trim') return undefined;
    const text = this.evaluate(operand, environment).value;
    return typeof text === 'string' ? toRuntimeValue(stripEnd(stripStart(text, null), null)) : undefined;
  }
}

/** Python's `==`: never equal across types, except that True is 1 and False is 0. */
function isEqual(a: Value, b: Value): boolean {
  const [x, y] = [a.value, b.value];
  if (Array.isArray(x) && Array.isArray(y)) return x.length === y.length && x.every((item, i) => isEqual(item, y[i]!));
  if (x instanceof Map && y instanceof Map) {
    return x.size === y.size && [...x].every(([key, item]) => y.has(key) && isEqual(item, y.get(key)!));
  }
  const number = (value: unknown) => (typeof value === 'boolean' ? Number(value) : value);
  return number(x) === number(y);
}

function printValue(statement: Node, value: Value): string {
  if (value.type === 'UndefinedValue') return '';
  if (value.type === 'NullValue') return silentStatements.has(statement.type) ? '' : 'None';
  if (typeof value.value === 'boolean') return value.value ? 'True' : 'False';
  return value.toString();
}

function listItems(value: Value): Value[] {
  if (value.type === 'UndefinedValue') return [];
  if (Array.isArray(value.value)) return value.value;
  if (typeof value.value === 'string') return Array.from(value.value, character => toRuntimeValue(character));
  if (value.value instanceof Map) return Array.from(value.value.keys(), key => toRuntimeValue(key));
  throw new Error(`a for loop over ${value.type}`);
}

function bindTarget(target: Node, item: Value, environment: Environment): Environment {
  const scope = new Environment(environment);
  if (target.type === 'Identifier') {
    scope.setVariable((target as unknown as { value: string }).value, item);
    return scope;
  }
  const names = (target as unknown as { value: Node[] }).value;
  const parts = listItems(item);
  if (parts.length !== names.length) throw new Error(`${names.length} loop variables for ${parts.length} values`);
  for (const [i, name] of names.entries()) {
    scope.setVariable((name as unknown as { value: string }).value, parts[i]!);
  }
  return scope;
}

function loopVariable(items: readonly Value[], index: number): Value {
  const loop = toRuntimeValue({
    index: index + 1,
    index0: index,
    revindex: items.length - index,
    revindex0: items.length - index - 1,
    first: index === 0,
    last: index === items.length - 1,
    length: items.length,
  });
  if (loop.value instanceof Map) {
    loop.value.set('previtem', items[index - 1] ?? toRuntimeValue(undefined));
    loop.value.set('nextitem', items[index + 1] ?? toRuntimeValue(undefined));
  }
  return loop;
}
