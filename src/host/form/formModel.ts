/** @file What the form holds and how one act of the user changes it: pure, so that every rule of the form is tested without an editor. */
import { basename, extname } from 'node:path';
import type { DatasetInspection, ForecastReport, RowTokens } from '../../shared/datasetProtocol.ts';
import { findEngineProblems } from '../../shared/engineCapabilities.ts';
import type { WireError } from '../../shared/errors.ts';
import {
  checkHyperparameter,
  defaultHyperparameters,
  type HyperparameterName,
  type Hyperparameters,
  hyperparametersSchema,
  hyperparameterTable,
  parseHyperparameter,
  type SettingProblem,
} from '../../shared/hyperparameters.ts';
import type { FormState, ModelChoice, PythonSummary, TrackerChoice } from '../../shared/pages.ts';
import { applyPreset, presets } from '../../shared/presets.ts';
import {
  type Mapping,
  type OverrideName,
  overrideNames,
  type RunRecord,
  type RunRequest,
} from '../../shared/recipe.ts';
import {
  type SuggestedName,
  type SuggestedSettings,
  suggestedNames,
  suggestForInspection,
} from '../../shared/suggestSettings.ts';
import type { TrackerKind } from '../../shared/trackers.ts';
import { type FormStart, findStartProblems, freshStart, requestStart, showStart, startOf } from './startFrom.ts';

export interface FormModel {
  datasetPath: string | null;
  /** Null: detected from the file. */
  mapping: Mapping | null;
  runName: string;
  /** The user typed a name of their own, which a new dataset does not replace. */
  runNameChosen: boolean;
  model: string;
  /** What a distillation learns from; empty until one is named. */
  teacher: string;
  start: FormStart;
  values: Hyperparameters;
  /** Settings that the user chose: a suggestion for another model or dataset leaves them. */
  chosen: HyperparameterName[];
  /** What is wrong with a value as typed, by name; `values` keeps the last good one. */
  typedProblems: Partial<Record<HyperparameterName, string>>;
  overrides: OverrideName[];
  parents: string[];
  /** Where the run is reported. */
  trackers: TrackerKind[];
  /** What came back for this dataset, mapping, model and these values. */
  inspection: DatasetInspection | null;
  forecast: ForecastReport | null;
  row: RowTokens | null;
  error: WireError | null;
}

export interface FormDefaults {
  model: string;
  memoryLimitBytes: number | null;
  trackers: TrackerKind[];
}

export function emptyForm(defaults: FormDefaults): FormModel {
  return {
    datasetPath: null,
    mapping: null,
    runName: '',
    runNameChosen: false,
    model: defaults.model,
    teacher: '',
    start: freshStart,
    values: { ...defaultHyperparameters, memoryLimitBytes: defaults.memoryLimitBytes },
    chosen: [],
    typedProblems: {},
    overrides: [],
    parents: [],
    trackers: defaults.trackers,
    inspection: null,
    forecast: null,
    row: null,
    error: null,
  };
}

/** The form as kept; undefined when another version of the extension kept values that mean nothing here. */
export function recallForm(kept: FormModel | undefined): FormModel | undefined {
  const values = hyperparametersSchema.safeParse(kept?.values);
  if (kept === undefined || !values.success) return undefined;
  // What was typed wrongly stands in the page, which says it again.
  return {
    ...kept,
    teacher: kept.teacher ?? '',
    start: kept.start ?? freshStart,
    trackers: kept.trackers ?? [],
    values: values.data,
    chosen: kept.chosen ?? [...suggestedNames],
    typedProblems: {},
  };
}

export function withDataset(form: FormModel, path: string): FormModel {
  const runName = form.runNameChosen ? form.runName : nameAfter(path);
  const isSame = path === form.datasetPath;
  return {
    ...form,
    datasetPath: path,
    runName,
    mapping: isSame ? form.mapping : null,
    overrides: isSame ? form.overrides : [],
    inspection: isSame ? form.inspection : null,
    forecast: null,
    row: null,
    error: null,
  };
}

export function withMapping(form: FormModel, mapping: Mapping | null): FormModel {
  return { ...form, mapping, inspection: null, forecast: null, row: null, error: null };
}

export function withModel(form: FormModel, model: string): FormModel {
  return { ...form, model: model.trim(), forecast: null, row: null, error: null };
}

export function withTeacher(form: FormModel, teacher: string): FormModel {
  return { ...form, teacher: teacher.trim(), forecast: null, error: null };
}

export function withStart(form: FormModel, start: FormStart): FormModel {
  return { ...form, start, forecast: null, error: null };
}

export function withName(form: FormModel, name: string): FormModel {
  return { ...form, runName: name, runNameChosen: name.trim() !== '' };
}

/** A value as the user typed it: taken over when it is fine, else kept as a problem beside the last good value. */
export function withText(form: FormModel, name: HyperparameterName, text: string): FormModel {
  const value = parseHyperparameter(name, text);
  const problem = checkHyperparameter(name, value);
  const { [name]: _, ...typedProblems } = form.typedProblems;
  const chosen = form.chosen.includes(name) ? form.chosen : [...form.chosen, name];
  if (problem !== undefined) return { ...form, chosen, typedProblems: { ...typedProblems, [name]: problem } };
  const values = hyperparametersSchema.parse({ ...form.values, [name]: value });
  const isSame = JSON.stringify(values) === JSON.stringify(form.values);
  return withFollowing({ ...form, chosen, typedProblems, values, ...(isSame ? {} : { forecast: null, error: null }) });
}

export function withOverride(form: FormModel, name: string, on: boolean): FormModel {
  const known = overrideNames.find(n => n === name);
  if (known === undefined) return form;
  const overrides = form.overrides.filter(n => n !== known);
  return { ...form, overrides: on ? [...overrides, known] : overrides, forecast: null, error: null };
}

/** What was read of the dataset; settings that nobody chose become those that suit it and the model. */
export function withInspection(form: FormModel, inspection: DatasetInspection): FormModel {
  return withFollowing({ ...form, values: followMapping(form, inspection.mapping), inspection, error: null });
}

/** Preferences ask for their own objective, and no other data for that one, unless the user chose. */
function followMapping({ values, chosen }: FormModel, { kind }: Mapping): Hyperparameters {
  if (chosen.includes('objective')) return values;
  if (kind === 'preference') return { ...values, objective: 'dpo' };
  return values.objective === 'dpo' ? { ...values, objective: 'sft' } : values;
}

/** All suggested values, or (off) the defaults of every run. */
export function withSuggestion(form: FormModel, on: boolean): FormModel {
  const others = form.chosen.filter(name => !isSuggested(name));
  const typedProblems = { ...form.typedProblems };
  for (const name of suggestedNames) delete typedProblems[name];
  if (on) return withFollowing({ ...form, chosen: others, typedProblems });
  const values = { ...form.values, ...pickSuggested(defaultHyperparameters) };
  return { ...form, chosen: [...others, ...suggestedNames], typedProblems, values, forecast: null, error: null };
}

/** With the settings that make the run fit the memory limit, as the forecast proposed them. */
export function withFit(form: FormModel): FormModel {
  const fit = form.forecast?.fit;
  if (!fit) return form;
  const names = Object.keys(fit) as HyperparameterName[];
  const typedProblems = { ...form.typedProblems };
  for (const name of names) delete typedProblems[name];
  const chosen = [...new Set([...form.chosen, ...names])];
  return { ...form, chosen, typedProblems, values: { ...form.values, ...fit }, forecast: null, error: null };
}

/** All settings as the preset has them, and its base model where it names one. */
export function withPreset(form: FormModel, id: string): FormModel {
  const preset = presets.find(known => known.id === id);
  if (preset === undefined) return form;
  const values = applyPreset(preset, form.values);
  const model = preset.model ?? form.model;
  // Whatever a preset leaves at its default is chosen as well: no suggestion changes it.
  const chosen = [
    ...new Set([...form.chosen, ...suggestedNames, ...(Object.keys(preset.values) as HyperparameterName[])]),
  ];
  return { ...form, model, values, chosen, typedProblems: {}, forecast: null, error: null };
}

export function withTracker(form: FormModel, kind: TrackerKind, on: boolean): FormModel {
  const others = form.trackers.filter(other => other !== kind);
  return { ...form, trackers: on ? [...others, kind] : others };
}

/** Settings that nobody chose follow the suggestion, which follows the others. */
function withFollowing(form: FormModel): FormModel {
  if (form.inspection === null) return form;
  const suggested = suggestForInspection(form.inspection, form.values)?.values ?? defaultHyperparameters;
  const values = { ...form.values };
  for (const name of suggestedNames) if (!form.chosen.includes(name)) values[name] = suggested[name];
  const isSame = suggestedNames.every(name => values[name] === form.values[name]);
  return isSame ? form : { ...form, values, forecast: null };
}

function isSuggested(name: HyperparameterName): name is SuggestedName {
  return suggestedNames.some(suggested => suggested === name);
}

function pickSuggested({ learningRate, epochs, contextTokens }: SuggestedSettings): SuggestedSettings {
  return { learningRate, epochs, contextTokens };
}

/** The form that makes a run again. */
export function withRecipe(form: FormModel, source: RunRecord | RunRequest, name: string): FormModel {
  const dataset = source.datasets[0]!;
  const mapping = 'mappingChosen' in dataset && !dataset.mappingChosen ? null : dataset.mapping;
  return {
    ...form,
    datasetPath: dataset.path,
    mapping,
    runName: name,
    runNameChosen: false,
    model: typeof source.model === 'string' ? source.model : source.model.id,
    teacher: (typeof source.teacher === 'object' ? source.teacher.id : source.teacher) ?? '',
    start: startOf(source),
    values: { ...source.hyperparameters },
    chosen: [...suggestedNames, 'objective'],
    typedProblems: {},
    overrides: [...source.overrides],
    parents: [...source.parents],
    inspection: null,
    forecast: null,
    row: null,
    error: null,
  };
}

/** Everything that keeps the form from being started, by the name of its field. */
export function findProblems(form: FormModel): SettingProblem[] {
  const problems: SettingProblem[] = [];
  if (form.datasetPath === null) problems.push({ name: 'dataset', message: 'expected a dataset, got none' });
  if (form.model === '') problems.push({ name: 'model', message: 'expected a model, got none' });
  if (form.values.objective === 'distill' && form.teacher === '') {
    problems.push({ name: 'teacher', message: 'expected a model to learn from, got none' });
  }
  problems.push(...findStartProblems(form.start, form.values));
  const nameLength = form.runName.trim().length;
  if (form.datasetPath !== null && (nameLength < 1 || nameLength > 120)) {
    problems.push({ name: 'runName', message: `expected a name of 1 to 120 characters, got ${nameLength}` });
  }
  for (const [name, message] of Object.entries(form.typedProblems)) problems.push({ name, message });
  if (form.values.engine !== 'auto') problems.push(...findEngineProblems(form.values.engine, form.values));
  const { evalRatio, testRatio } = form.values;
  if (evalRatio + testRatio >= 1) {
    const message = `expected ${hyperparameterTable.evalRatio.label} and ${hyperparameterTable.testRatio.label} below 1 together, got ${evalRatio + testRatio}`;
    problems.push({ name: 'testRatio', message });
  }
  return problems;
}

/** What the trainer is asked for; undefined while something is missing or wrong. */
export function buildRequest(form: FormModel): RunRequest | undefined {
  if (form.datasetPath === null || findProblems(form).length > 0) return undefined;
  return {
    name: form.runName.trim(),
    model: form.model,
    ...(form.values.objective === 'distill' ? { teacher: form.teacher } : {}),
    ...requestStart(form.start, form.values),
    datasets: [{ path: form.datasetPath, mapping: form.mapping }],
    hyperparameters: form.values,
    overrides: form.overrides,
    parents: form.parents,
  };
}

export interface FormSurroundings {
  trackers: TrackerChoice[];
  trusted: boolean;
  models: ModelChoice[];
  python: PythonSummary | null;
  inspecting: boolean;
  forecasting: boolean;
  starting: boolean;
}

export function toFormState(form: FormModel, around: FormSurroundings): FormState {
  return {
    ...around,
    dataset: form.datasetPath === null ? null : { path: form.datasetPath, name: basename(form.datasetPath) },
    inspection: form.inspection,
    runName: form.runName,
    model: form.model,
    teacher: form.teacher,
    start: showStart(form.start),
    values: form.values,
    suggestion: form.inspection === null ? null : suggestForInspection(form.inspection, form.values),
    problems: findProblems(form),
    forecast: form.forecast,
    overrides: form.overrides,
    row: form.row,
    error: form.error,
  };
}

/** `data/Support tickets.jsonl` -> `Support tickets` */
export function nameAfter(path: string): string {
  return basename(path, extname(path)).slice(0, 100);
}
