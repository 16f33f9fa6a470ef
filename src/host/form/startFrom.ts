/** @file The adapters that a run of the form starts from: a fresh one, one that is trained on, or some beneath a new one. */
import { basename } from 'node:path';
import type { Hyperparameters, SettingProblem } from '../../shared/hyperparameters.ts';
import type { FormState } from '../../shared/pages.ts';
import type { RunRecord, RunRequest } from '../../shared/recipe.ts';

export interface FormStart {
  mode: FormState['start']['mode'];
  /** Folders of runs or adapters. */
  adapters: string[];
}

export const freshStart: FormStart = { mode: 'fresh', adapters: [] };

/** What is trained whole starts from no adapter. */
const isUsed = (start: FormStart, { method }: Pick<Hyperparameters, 'method'>): boolean =>
  start.mode !== 'fresh' && method === 'lora';

/** Only one can be trained on. */
export function withStartMode(start: FormStart, mode: FormStart['mode']): FormStart {
  return { mode, adapters: mode === 'continue' ? start.adapters.slice(0, 1) : start.adapters };
}

export function withAdapter({ mode, adapters }: FormStart, path: string): FormStart {
  if (mode === 'continue') return { mode, adapters: [path] };
  return { mode, adapters: adapters.includes(path) ? adapters : [...adapters, path] };
}

export function withoutAdapter({ mode, adapters }: FormStart, path: string): FormStart {
  return { mode, adapters: adapters.filter(other => other !== path) };
}

export function findStartProblems(start: FormStart, values: Hyperparameters): SettingProblem[] {
  if (!isUsed(start, values)) return [];
  const toProblem = (message: string): SettingProblem[] => [{ name: 'startFrom', message }];
  if (start.adapters.length === 0) return toProblem('expected an adapter to start from, got none');
  if (start.mode === 'stack' && values.dora) {
    return toProblem('expected a new adapter without DoRA on top of others, got one with it');
  }
  return [];
}

export function requestStart(start: FormStart, values: Hyperparameters): Pick<RunRequest, 'startFrom'> {
  if (!isUsed(start, values) || start.mode === 'fresh') return {};
  return { startFrom: { mode: start.mode, adapters: start.adapters } };
}

/** That of a run which is made again. */
export function startOf({ startFrom }: Pick<RunRecord | RunRequest, 'startFrom'>): FormStart {
  if (startFrom === undefined) return freshStart;
  const adapters = startFrom.adapters.map(adapter => (typeof adapter === 'string' ? adapter : adapter.path));
  return { mode: startFrom.mode, adapters };
}

export function showStart({ mode, adapters }: FormStart): FormState['start'] {
  return { mode, adapters: adapters.map(path => ({ path, label: basename(path) })) };
}
