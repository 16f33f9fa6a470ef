/** @file Between a hyperparameter's value and the text a person types for it. */
import {
  checkHyperparameter,
  type HyperparameterName,
  hyperparameterTable,
  parseHyperparameter,
  type Setting,
} from '../../src/shared/hyperparameters.ts';
import { parseBytes, printBytes } from '../format/typedBytes.ts';
import type { DraftRules } from '../seam/textDraft.ts';

const isBytes = (name: HyperparameterName) => {
  const setting: Setting = hyperparameterTable[name];
  return 'unit' in setting && setting.unit === 'bytes';
};

/** The text to show for a value; `wireText` of it reads back as the same value. */
export function printSetting(name: HyperparameterName, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.join(hyperparameterTable[name].kind === 'texts' ? '\n' : ', ');
  if (isBytes(name) && typeof value === 'number') return printBytes(value);
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-3) return value.toExponential();
  return String(value);
}

/** What is sent to the host for a typed text: sizes are written out in bytes, the rest goes as it is. */
export function wireText(name: HyperparameterName, text: string): string {
  const bytes = isBytes(name) ? parseBytes(text) : undefined;
  return bytes === undefined ? text : String(bytes);
}

/** What is wrong with a typed text, null when nothing is. */
export function checkText(name: HyperparameterName, text: string): string | null {
  return checkHyperparameter(name, parseHyperparameter(name, wireText(name, text))) ?? null;
}

/** How typed texts and values of one hyperparameter are compared. */
export function settingRules(name: HyperparameterName): DraftRules<unknown> {
  return {
    print: value => printSetting(name, value),
    read: text => (checkText(name, text) === null ? parseHyperparameter(name, wireText(name, text)) : undefined),
    equals: isSameValue,
  };
}

/** Whether two values are one; lists are compared in order. */
export function isSameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
