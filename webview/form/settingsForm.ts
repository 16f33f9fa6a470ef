/** @file All hyperparameters, drawn from the one table: groups in its order, advanced ones folded away, found by a word. */
import { findLimit } from '../../src/shared/engineCapabilities.ts';
import {
  type HyperparameterName,
  hasEffect,
  hyperparameterNames,
  hyperparameterTable,
} from '../../src/shared/hyperparameters.ts';
import type { FormState } from '../../src/shared/pages.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { createTextInput } from '../controls/toolkit.ts';
import { h, setShown, type View } from '../dom/element.ts';
import { formatCounted } from '../format/formatNumber.ts';
import { engineOf } from './engineCard.ts';
import { createSettingField, type SettingField } from './settingField.ts';

const groupTitles: Record<(typeof hyperparameterTable)[HyperparameterName]['group'], string> = {
  method: 'Method',
  optimizer: 'Optimizer',
  length: 'Length and batch',
  data: 'Data',
  evaluation: 'Evaluation',
  machine: 'Machine',
};

export interface SettingsFormEvents {
  onSet: (name: HyperparameterName, text: string) => void;
  onProblems: () => void;
  onFold: (advancedOpen: boolean) => void;
}

export interface SettingsForm extends View<Pick<FormState, 'values' | 'problems' | 'forecast'>> {
  /** Names of settings that are wrong as typed. */
  problems(): HyperparameterName[];
  invalidTexts(): Record<string, string>;
  restore(texts: Record<string, string>): void;
  /** Lets the host's next values in, whatever was typed: it was asked to set these. */
  forget(names: readonly HyperparameterName[]): void;
  openAdvanced(open: boolean): void;
  /** Whether the advanced settings are unfolded, other than by a search. */
  isAdvancedOpen(): boolean;
}

interface Group {
  readonly element: HTMLElement;
  readonly members: readonly SettingField[];
}

export function createSettingsForm(events: SettingsFormEvents): SettingsForm {
  const fields = new Map<HyperparameterName, SettingField>();
  for (const name of hyperparameterNames) {
    const send = (text: string) => events.onSet(name, text);
    fields.set(
      name,
      createSettingField(name, send, () => describeAdvanced()),
    );
  }
  let values: FormState['values'] | null = null;
  let isOpen = false;
  const find = createTextInput({ label: 'Find a setting', placeholder: 'Find a setting', onInput: () => filter() });
  find.element.classList.add('find-setting');
  const nothing = h('p', { class: 'muted', role: 'status', hidden: true }, 'No setting fits these words.');
  const basicGroups = drawGroups(fields, false);
  const advancedGroups = drawGroups(fields, true);
  const advanced = createDisclosure(
    'Advanced',
    {
      class: 'advanced',
      onToggle: open => {
        if (isSearching()) return;
        isOpen = open;
        events.onFold(open);
      },
    },
    ...advancedGroups.map(group => group.element),
  );

  const isSearching = () => find.value.trim() !== '';
  const isShown = (field: SettingField) =>
    // A wrong value refuses the start wherever it stands, so that it has to be seen.
    field.problem() !== null ||
    ((values === null || hasEffect(field.name, values)) && fits(field.name, find.value.toLowerCase().split(/\s+/)));
  const showGroups = (groups: readonly Group[]) => {
    let any = false;
    for (const { element, members } of groups) {
      for (const field of members) setShown(field.element, isShown(field));
      const hasShown = members.some(field => !field.element.hidden);
      setShown(element, hasShown);
      any ||= hasShown;
    }
    return any;
  };
  const showFields = () => {
    const hasBasic = showGroups(basicGroups);
    const hasAdvanced = showGroups(advancedGroups);
    setShown(advanced.element, hasAdvanced);
    setShown(nothing, !hasBasic && !hasAdvanced);
  };
  const filter = () => {
    advanced.element.open = isSearching() || isOpen;
    showFields();
  };
  const describeAdvanced = () => {
    const folded = [...fields.values()].filter(field => hyperparameterTable[field.name].advanced);
    const wrong = folded.filter(field => field.problem() !== null).length;
    const changed = folded.filter(field => field.isChanged()).length;
    const notes = [changed > 0 ? `${changed} changed` : '', wrong > 0 ? formatCounted(wrong, 'problem') : ''].filter(
      note => note !== '',
    );
    advanced.setNote(notes.join(', '));
    advanced.element.classList.toggle('has-error', wrong > 0);
    events.onProblems();
  };

  return {
    element: h(
      'div',
      { class: 'settings' },
      find.element,
      nothing,
      ...basicGroups.map(group => group.element),
      advanced.element,
    ),
    update(state) {
      values = state.values;
      const engine = engineOf(state);
      for (const [name, field] of fields) {
        field.limit(findLimit(engine, name, state.values));
        field.update(state.values[name], state.problems.find(problem => problem.name === name)?.message ?? null);
      }
      showFields();
      describeAdvanced();
    },
    problems: () => [...fields.values()].filter(field => field.problem() !== null).map(field => field.name),
    invalidTexts() {
      const texts: Record<string, string> = {};
      for (const field of fields.values()) {
        const text = field.invalidText();
        if (text !== null) texts[field.name] = text;
      }
      return texts;
    },
    restore(texts) {
      for (const [name, text] of Object.entries(texts)) fields.get(name as HyperparameterName)?.restore(text);
      describeAdvanced();
    },
    forget(names) {
      for (const name of names) fields.get(name)?.forget();
    },
    openAdvanced(open) {
      isOpen = open;
      filter();
    },
    isAdvancedOpen: () => isOpen,
  };
}

/** Whether every word stands in the setting's name, label or help. */
function fits(name: HyperparameterName, words: readonly string[]): boolean {
  const { label, help } = hyperparameterTable[name];
  const text = `${name} ${label} ${help}`.toLowerCase();
  return words.every(word => text.includes(word));
}

function drawGroups(fields: ReadonlyMap<HyperparameterName, SettingField>, advanced: boolean): Group[] {
  return Object.entries(groupTitles).flatMap(([group, title]) => {
    const names = hyperparameterNames.filter(
      name => hyperparameterTable[name].group === group && hyperparameterTable[name].advanced === advanced,
    );
    if (names.length === 0) return [];
    const members = names.map(name => fields.get(name)!);
    const element = h(
      'section',
      { class: 'group', aria: { label: title } },
      h('h3', {}, title),
      ...members.map(field => field.element),
    );
    return [{ element, members }];
  });
}
