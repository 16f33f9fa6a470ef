/**
 * @file A place in the text of a pipeline file -> the names and values that may stand there, and what the name under it
 * means. Works on text that does not parse yet: what encloses a line is found by its indentation, or by brackets.
 */
import {
  type HyperparameterName,
  hyperparameterNames,
  hyperparameterTable,
  type Setting,
} from '../../../shared/hyperparameters.ts';
import type { PipelineCompletion, PipelineHelp, TextRange } from '../../../shared/pipelineOutline.ts';
import { isSettingName } from './parseSettings.ts';
import { fileKeys, isKeyOf, type PipelineKey, stageKeys } from './pipelineKeys.ts';

type Place = 'file' | 'stage' | 'settings' | 'elsewhere';

/** Line and column 1-based. */
export function assistPipeline(text: string, line: number, column: number): PipelineHelp {
  const lines = text.split(/\r?\n/);
  const current = lines[line - 1] ?? '';
  const before = current.slice(0, column - 1);
  const { place, key } = findPlace(lines, line, before);
  return { completions: complete(place, key, before), hover: findHover(lines, line, column) };
}

/** What encloses the place, and the name whose value is being written. */
function findPlace(lines: readonly string[], line: number, before: string): { place: Place; key: string | null } {
  const own = /(?:^|[{,]|- )\s*"?([A-Za-z]\w*)"?\s*:\s*[^,{}]*$/.exec(before)?.[1] ?? null;
  const path = enclosingKeys(lines, line, before);
  const [outer, inner] = [path[0], path.at(-1)];
  if (path.length === 0) return { place: 'file', key: own };
  if (inner === 'set') return { place: 'settings', key: own };
  if (outer === 'stages' && path.length === 1) return { place: 'stage', key: own };
  return { place: 'elsewhere', key: own };
}

/** Names of the maps around a place, outermost first. */
function enclosingKeys(lines: readonly string[], line: number, before: string): string[] {
  const brackets = openBrackets([...lines.slice(0, line - 1), before].join('\n'));
  if (brackets !== undefined) return brackets;
  const keys: string[] = [];
  const isItem = /^\s*-\s/.test(before);
  let indent = before.trim() === '' ? before.length : before.length - before.trimStart().length;
  // What stands behind a dash belongs to the item.
  if (isItem) indent = before.indexOf('-');
  for (let i = line - 2; i >= 0; i--) {
    const text = lines[i]!;
    if (text.trim() === '' || text.trimStart().startsWith('#')) continue;
    const isList = /^\s*-\s/.test(text);
    const start = text.length - text.trimStart().length;
    const depth = isList ? start + 2 : start;
    const key = /^[\s-]*"?([A-Za-z]\w*)"?\s*:\s*(?:#.*)?$/.exec(text)?.[1];
    const encloses = isList
      ? start < indent && depth < indent
      : start < indent || (isItem && start === indent && key === 'stages');
    if (!encloses) {
      if (isList && start < indent) indent = start;
      continue;
    }
    if (key === undefined) continue;
    keys.unshift(key);
    indent = start;
    if (start === 0 && !isList) break;
  }
  return keys;
}

/** Names before the brackets that are open at the end of the text; undefined where none is. */
function openBrackets(text: string): string[] | undefined {
  const open: (string | null)[] = [];
  let isQuoted = false;
  let name: string | null = null;
  for (const part of text.matchAll(/"(?:\\.|[^"\\])*"?|[A-Za-z]\w*|[{}[\],:\n]|#[^\n]*|\S/g)) {
    const [token] = part;
    if (/^"?[A-Za-z]\w*"?$/.test(token)) {
      name = token.replaceAll('"', '');
      isQuoted = token.startsWith('"');
    } else if (token === '{' || token === '[') {
      open.push(name);
      name = null;
    } else if (token === '}' || token === ']') {
      open.pop();
      name = null;
    } else if (token === ',' || (token === '\n' && !isQuoted)) name = null;
  }
  if (open.length === 0) return undefined;
  const names = open.filter(key => key !== null);
  // `set: {` in a block: what encloses the line itself is said by indentation.
  return open[0] === null ? names : [...(names[0] === 'set' ? ['set'] : names)];
}

function complete(place: Place, key: string | null, before: string): PipelineCompletion[] {
  if (key !== null) return completeValue(place, key);
  if (/:\s*$/.test(before) && !/[{,]\s*$/.test(before)) return [];
  switch (place) {
    case 'file':
      return completeKeys(fileKeys);
    case 'stage':
      return completeKeys(stageKeys);
    case 'settings':
      return hyperparameterNames.map(name => completeSetting(name));
    case 'elsewhere':
      return [];
  }
}

function completeKeys(keys: Readonly<Record<string, PipelineKey>>): PipelineCompletion[] {
  return Object.entries(keys).map(([label, { help, insert, values }]) => {
    const detail = values === undefined ? '' : values.join(' | ');
    return { label, detail, documentation: help, insertText: insert, kind: 'property' };
  });
}

function completeSetting(name: HyperparameterName): PipelineCompletion {
  const setting: Setting = hyperparameterTable[name];
  const detail = `default ${writeDefault(setting)}`;
  return { label: name, detail, documentation: setting.help, insertText: `${name}: `, kind: 'property' };
}

function completeValue(place: Place, key: string): PipelineCompletion[] {
  const toValue = (label: string, detail = ''): PipelineCompletion => {
    return { label, detail, documentation: '', insertText: label, kind: 'value' };
  };
  if (place === 'settings') return isSettingName(key) ? listValues(hyperparameterTable[key]).map(v => toValue(v)) : [];
  const known = place === 'stage' && isKeyOf(stageKeys, key) ? stageKeys[key] : undefined;
  const values = known !== undefined && 'values' in known ? known.values : [];
  if (key === 'model') return [toValue('tiny', 'ships with Tuning Fork')];
  if (key === 'teacher') return [toValue('previous', 'the result of the stage before')];
  return values.map(value => toValue(value));
}

function listValues(setting: Setting): string[] {
  if (setting.kind === 'choice') return setting.choices.map(({ value }) => value);
  return setting.kind === 'flag' ? ['true', 'false'] : [];
}

function findHover(lines: readonly string[], line: number, column: number): PipelineHelp['hover'] {
  const text = lines[line - 1] ?? '';
  for (const match of text.matchAll(/[A-Za-z]\w*(?="?\s*:)/g)) {
    const start = match.index + 1;
    const end = start + match[0].length;
    if (column < start || column > end) continue;
    const [word] = match;
    const { place } = findPlace(lines, line, text.slice(0, start - 1));
    const range: TextRange = { line, column: start, endLine: line, endColumn: end };
    const help = explain(place, word);
    return help === undefined ? null : { text: help, range };
  }
  return null;
}

function explain(place: Place, word: string): string | undefined {
  if (place === 'file' && isKeyOf(fileKeys, word)) return fileKeys[word].help;
  if (place === 'stage' && isKeyOf(stageKeys, word)) return stageKeys[word].help;
  if (place !== 'settings' || !isSettingName(word)) return undefined;
  const setting: Setting = hyperparameterTable[word];
  return `**${setting.label}** (${writeRange(setting)}, default ${writeDefault(setting)})\n\n${setting.help}`;
}

function writeDefault(setting: Setting): string {
  if ('emptyText' in setting) return setting.emptyText;
  return Array.isArray(setting.default) ? setting.default.join(', ') || 'none' : String(setting.default);
}

function writeRange(setting: Setting): string {
  if ('min' in setting) return `${setting.min} to ${setting.max}`;
  return setting.kind === 'choice' ? setting.choices.map(({ value }) => value).join(', ') : setting.kind;
}
