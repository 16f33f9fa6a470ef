/** @file YAML (or JSON, which is YAML) -> maps, lists and values with their places, and problems instead of exceptions. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
} from 'yaml';
import type { PipelineProblem, TextRange } from '../../../shared/pipelineOutline.ts';

export type AnyNode = ParsedNode | Node | null;

export interface MapEntry {
  readonly key: string;
  readonly keyNode: Node;
  readonly value: AnyNode;
  /** From the key to the end of its value. */
  readonly range: TextRange;
}

export class YamlNodes {
  readonly problems: PipelineProblem[] = [];
  readonly document: Document.Parsed;
  private readonly lines = new LineCounter();

  constructor(text: string) {
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, uniqueKeys: true });
    for (const { message, pos } of this.document.errors) {
      const hint = 'Two spaces a level; a list item begins with "- ".';
      this.problems.push({ severity: 'error', range: this.span(pos[0], pos[1]), message: message.trim(), hint });
    }
  }

  get root(): AnyNode {
    return this.document.contents;
  }

  rangeOf(node: AnyNode | undefined): TextRange {
    const range = node?.range;
    return range ? this.span(range[0], range[1]) : this.span(0, 0);
  }

  refuse(node: AnyNode | undefined, expected: string, got: string, hint: string, where = ''): void {
    const message = `${where === '' ? '' : `${where}: `}expected ${expected}, got ${got}`;
    this.problems.push({ severity: 'error', range: this.rangeOf(node), message, hint });
  }

  warn(node: AnyNode | undefined, message: string, hint: string): void {
    this.problems.push({ severity: 'warning', range: this.rangeOf(node), message, hint });
  }

  /** Undefined, with a problem, for what is no map. */
  readMap(node: AnyNode | undefined, where: string, hint: string): MapEntry[] | undefined {
    const resolved = this.resolve(node);
    if (!isMap(resolved)) {
      this.refuse(node, 'names with values', describeNode(resolved), hint, where);
      return undefined;
    }
    return resolved.items.flatMap(({ key, value }) => {
      if (!isScalar(key)) return [];
      const end = (value as Node | null)?.range?.[1] ?? key.range![1];
      const range = this.span(key.range![0], end);
      return [{ key: String(key.value), keyNode: key, value: this.resolve(value as AnyNode), range }];
    });
  }

  readList(node: AnyNode | undefined): AnyNode[] | undefined {
    const resolved = this.resolve(node);
    return isSeq(resolved) ? resolved.items.map(item => this.resolve(item as AnyNode)) : undefined;
  }

  /** Text, number, truth value or null; undefined for maps and lists. */
  readScalar(node: AnyNode | undefined): string | number | boolean | null | undefined {
    const resolved = this.resolve(node);
    if (resolved === null) return null;
    if (!isScalar(resolved)) return undefined;
    const { value } = resolved;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  }

  /** Undefined, with a problem, for anything but text. */
  readText(node: AnyNode | undefined, where: string, hint: string): string | undefined {
    const value = this.readScalar(node);
    // A name that looks like a number is meant as it stands.
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text === 'string' && text.trim() !== '') return text;
    this.refuse(node, 'text', text === '' || text === null ? 'nothing' : describeNode(this.resolve(node)), hint, where);
    return undefined;
  }

  private resolve(node: AnyNode | undefined): AnyNode {
    if (isAlias(node)) return (node.resolve(this.document) as AnyNode | undefined) ?? null;
    return node ?? null;
  }

  private span(from: number, to: number): TextRange {
    const start = this.lines.linePos(from);
    const end = this.lines.linePos(Math.max(from, to));
    return { line: start.line || 1, column: start.col || 1, endLine: end.line || 1, endColumn: end.col || 1 };
  }
}

function describeNode(node: AnyNode): string {
  if (isMap(node)) return 'names with values';
  if (isSeq(node)) return 'a list';
  if (isScalar(node)) return node.value === null ? 'nothing' : JSON.stringify(node.value);
  return 'nothing';
}
