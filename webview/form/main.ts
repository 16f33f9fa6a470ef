/** @file The sidebar: a dataset, a model, the hyperparameters, what the run will take, and the button that starts it. */
import '../seam/disableEval.ts';
import '../style/base.css';
import './form.css';
import { type HyperparameterName, hyperparameterNames } from '../../src/shared/hyperparameters.ts';
import { formStateSchema } from '../../src/shared/pageSnapshots.ts';
import type { FormState } from '../../src/shared/pages.ts';
import { suggestedNames } from '../../src/shared/suggestSettings.ts';
import { createField } from '../controls/field.ts';
import { createNotice } from '../controls/notice.ts';
import { createButton, createTextInput } from '../controls/toolkit.ts';
import { h, setShown } from '../dom/element.ts';
import { mountPage } from '../dom/mountPage.ts';
import { connectHost } from '../seam/host.ts';
import { createTextDraft, plainText } from '../seam/textDraft.ts';
import { createDatasetCard } from './datasetCard.ts';
import { createEngineCard } from './engineCard.ts';
import { createForecastCard } from './forecastCard.ts';
import { createModelPicker } from './modelPicker.ts';
import { createPresetPicker } from './presetPicker.ts';
import { createRowPreview } from './rowPreview.ts';
import { createSettingsForm } from './settingsForm.ts';
import { createStartBar } from './startBar.ts';
import { createStartFromCard } from './startFromCard.ts';
import { createSuggestionCard } from './suggestionCard.ts';
import { createTrackerCard } from './trackerCard.ts';

/** What outlives a page that was hidden: texts that are no values yet, and what was folded open. */
interface Kept {
  invalidTexts: Record<string, string>;
  advancedOpen: boolean;
}

const host = connectHost('form/state', formStateSchema, draw);
let newest: FormState | null = null;
let restored = false;

const restricted = createNotice(
  'lock',
  h(
    'p',
    {},
    'Restricted Mode: datasets can be read and checked here, but a run starts a program, so the folder must be trusted first.',
  ),
  createButton({ label: 'Trust this folder…', onClick: () => host.send({ type: 'form/trust' }) }).element,
);
const dataset = createDatasetCard({
  onChoose: () => host.send({ type: 'form/chooseDataset' }),
  onMapping: mapping => host.send({ type: 'form/mapping', mapping }),
  onOpenLine: line => host.send({ type: 'form/openLine', line }),
});
const rowPreview = createRowPreview(row => host.send({ type: 'form/showRow', row }));
const model = createModelPicker(
  { title: 'Base model', setting: 'model' },
  {
    onModel: id => host.send({ type: 'form/model', model: id }),
    onBrowse: () => host.send({ type: 'form/chooseModel' }),
  },
);
const teacher = createModelPicker(
  { title: 'Teacher', setting: 'teacher' },
  {
    onModel: id => host.send({ type: 'form/teacher', teacher: id }),
    onBrowse: () => host.send({ type: 'form/chooseTeacher' }),
  },
);
const startFrom = createStartFromCard({
  onMode: mode => host.send({ type: 'form/startMode', mode }),
  onAdd: () => host.send({ type: 'form/addAdapter' }),
  onRemove: path => host.send({ type: 'form/removeAdapter', path }),
});
const runName = createTextInput({
  label: 'Run name',
  onInput: name => {
    nameDraft.typed();
    host.send({ type: 'form/name', name });
  },
  onLeave: () => nameDraft.left(),
});
const nameDraft = createTextDraft(runName, plainText);
const settings = createSettingsForm({
  onSet: (name, text) => {
    host.send({ type: 'form/set', name, text });
    keep();
  },
  onProblems: () => {
    if (newest) startBar.update(newest, settings.problems());
  },
  onFold: () => keep(),
});
const reset = createButton({
  label: 'Reset all',
  onClick: () => {
    settings.forget(hyperparameterNames);
    host.send({ type: 'form/reset' });
    host.remember({ ...kept(), invalidTexts: {} } satisfies Kept);
  },
});
const presetPicker = createPresetPicker(id => {
  settings.forget(hyperparameterNames);
  host.send({ type: 'form/preset', id });
});
const engineCard = createEngineCard(() => host.send({ type: 'form/setUpPyTorch' }));
const suggestion = createSuggestionCard(on => {
  settings.forget(suggestedNames);
  host.send({ type: 'form/suggest', on });
});
const forecast = createForecastCard({
  onOverride: (name, on) => host.send({ type: 'form/override', name, on }),
  onFit: () => {
    settings.forget(Object.keys(newest?.forecast?.fit ?? {}) as HyperparameterName[]);
    host.send({ type: 'form/fit' });
  },
  onMeasure: () => host.send({ type: 'form/measure' }),
});
const trackers = createTrackerCard((kind, on) => host.send({ type: 'form/tracker', kind, on }));
const startBar = createStartBar(
  () => host.send({ type: 'form/start' }),
  () => host.send({ type: 'form/findBest' }),
);

const form = h(
  'main',
  { class: 'form' },
  restricted,
  dataset.element,
  rowPreview.element,
  model.element,
  teacher.element,
  startFrom.element,
  createField({ label: 'Run name', control: runName.element, describe: runName.describe, class: 'is-stack' }).element,
  h('div', { class: 'heading-line' }, h('h2', {}, 'Hyperparameters'), reset.element),
  presetPicker.element,
  engineCard.element,
  suggestion.element,
  settings.element,
  trackers.element,
  forecast.element,
);
const show = mountPage(form, startBar.element);

function kept(): Kept {
  return { invalidTexts: settings.invalidTexts(), advancedOpen: settings.isAdvancedOpen() };
}

function keep(): void {
  host.remember(kept());
}

function draw(state: FormState): void {
  newest = state;
  setShown(restricted, !state.trusted);
  dataset.update(state);
  rowPreview.update(state);
  model.update(state);
  setShown(teacher.element, state.values.objective === 'distill');
  teacher.update({ ...state, model: state.teacher });
  startFrom.update(state);
  nameDraft.receive(state.runName);
  presetPicker.update(state);
  engineCard.update(state);
  suggestion.update(state);
  settings.update(state);
  if (!restored) restore();
  trackers.update(state);
  forecast.update(state);
  startBar.update(state, settings.problems());
  show();
}

function restore(): void {
  restored = true;
  const before = host.recall() as Partial<Kept> | null | undefined;
  if (!before) return;
  settings.restore(before.invalidTexts ?? {});
  settings.openAdvanced(before.advancedOpen ?? false);
}
