/** @file What the run was made of: its recipe, with what differs from the defaults marked. */

import { formatBytes } from '../../src/shared/formatBytes.ts';
import {
  defaultHyperparameters,
  type HyperparameterName,
  hasEffect,
  hyperparameterNames,
  hyperparameterTable,
  type Setting,
} from '../../src/shared/hyperparameters.ts';
import type { RunState } from '../../src/shared/pages.ts';
import type { RunRecord } from '../../src/shared/recipe.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { type Child, createRebuilder, h, type View } from '../dom/element.ts';
import { formatCount, formatFigure, formatRate } from '../format/formatNumber.ts';

export function createRecipeFacts(): View<Pick<RunState, 'record' | 'path' | 'pipeline'>> {
  const element = h('div', { class: 'tab-content recipe' });
  const rebuild = createRebuilder<{ record: RunRecord | null; path: string; isPipeline: boolean }>(
    element,
    ({ record, path, isPipeline }) => {
      if (record !== null) return drawRecipe(record, path);
      const text = isPipeline
        ? 'Each stage has a run of its own with its recipe: open it from the list above.'
        : 'The recipe is written once data and model have been read.';
      return [h('p', { class: 'muted' }, text)];
    },
  );
  return { element, update: ({ record, path, pipeline }) => rebuild({ record, path, isPipeline: pipeline !== null }) };
}

function drawRecipe(record: RunRecord, path: string): Child[] {
  const { model, forecast } = record;
  const facts: [string, string][] = [
    ['Model', model.id],
    ['Model files', `${model.path} (${model.modelType}, ${model.format})`],
    ...(record.teacher ? [['Teacher', record.teacher.id] as [string, string]] : []),
    ...record.datasets.map((dataset): [string, string] => [
      'Dataset',
      `${dataset.path} (${dataset.mapping.kind}${dataset.mappingChosen ? ', chosen' : ', detected'})`,
    ]),
    ['Rows', `${formatCount(forecast.trainRows)} training, ${formatCount(forecast.heldOutRows)} held out`],
    [
      'Tokens an epoch',
      `${formatCount(forecast.tokensPerEpoch)}, ${formatCount(forecast.supervisedTokensPerEpoch)} trained on`,
    ],
    ['Planned memory', `${formatBytes(forecast.peakMemoryBytes)} of ${formatBytes(forecast.memoryLimitBytes)}`],
    [
      'Started',
      record.createdAt
        .replace('T', ' ')
        .replace(/\.\d+Z$/, ' UTC')
        .replace(/Z$/, ' UTC'),
    ],
    ...(record.parents.length > 0 ? ([['Goes on from', record.parents.join(', ')]] as [string, string][]) : []),
    ...(record.overrides.length > 0
      ? ([['Checks overridden', record.overrides.join(', ')]] as [string, string][])
      : []),
    ['Folder', path],
    ...Object.entries(record.versions).map(([name, version]): [string, string] => [name, version]),
  ];
  const changed = hyperparameterNames.filter(name => isChanged(record, name));
  const rest = hyperparameterNames.filter(name => !isChanged(record, name) && hasEffect(name, record.hyperparameters));
  return [
    drawFacts(facts),
    h('h3', {}, changed.length === 0 ? 'All hyperparameters are at their defaults' : 'Hyperparameters changed'),
    changed.length > 0 ? drawFacts(changed.map(name => describeSetting(record, name))) : null,
    createDisclosure(
      'Hyperparameters at their defaults',
      {},
      drawFacts(rest.map(name => describeSetting(record, name))),
    ).element,
  ];
}

function drawFacts(facts: readonly [string, string][]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    ...facts.flatMap(([term, value]) => [h('dt', {}, term), h('dd', { class: 'figures' }, value)]),
  );
}

function isChanged(record: RunRecord, name: HyperparameterName): boolean {
  return JSON.stringify(record.hyperparameters[name]) !== JSON.stringify(defaultHyperparameters[name]);
}

function describeSetting(record: RunRecord, name: HyperparameterName): [string, string] {
  return [hyperparameterTable[name].label, printValue(hyperparameterTable[name], record.hyperparameters[name])];
}

function printValue(setting: Setting, value: unknown): string {
  if (value === null) return setting.kind === 'optionalInteger' ? setting.emptyText : 'not set';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (setting.kind === 'choice') return setting.choices.find(choice => choice.value === value)?.label ?? String(value);
  if (typeof value !== 'number') return String(value);
  const unit = 'unit' in setting ? setting.unit : undefined;
  if (unit === 'bytes') return formatBytes(value);
  const text =
    value > 0 && value < 1e-3 ? formatRate(value) : Number.isInteger(value) ? formatCount(value) : formatFigure(value);
  return unit === undefined ? text : `${text} ${unit}`;
}
