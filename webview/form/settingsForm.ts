/** @file All hyperparameters, drawn from the one table: groups in its order, advanced ones folded away. */
import {
  type HyperparameterName,
  hasEffect,
  hyperparameterNames,
  hyperparameterTable,
} from '../../src/shared/hyperparameters.ts';
import type { FormState } from '../../src/shared/pages.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { h, setShown, type View } from '../dom/element.ts';
import { formatCounted } from '../format/formatNumber.ts';
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

export interface SettingsForm extends View<Pick<FormState, 'values' | 'problems'>> {
  /** Names of settings that are wrong as typed. */
  problems(): string[];
  invalidTexts(): Record<string, string>;
  restore(texts: Record<string, string>): void;
  /** Lets the host's next values in: it was asked to reset all. */
  forget(): void;
  openAdvanced(open: boolean): void;
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
  const advanced = createDisclosure(
    'Advanced',
    { class: 'advanced', onToggle: events.onFold },
    ...drawGroups(fields, true),
  );
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
    element: h('div', { class: 'settings' }, ...drawGroups(fields, false), advanced.element),
    update({ values, problems }) {
      for (const [name, field] of fields) {
        field.update(values[name], problems.find(problem => problem.name === name)?.message ?? null);
        // A wrong value refuses the start wherever it stands, so that it has to be seen.
        setShown(field.element, hasEffect(name, values) || field.problem() !== null);
      }
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
    forget() {
      for (const field of fields.values()) field.forget();
    },
    openAdvanced(open) {
      advanced.element.open = open;
    },
  };
}

function drawGroups(fields: ReadonlyMap<HyperparameterName, SettingField>, advanced: boolean): HTMLElement[] {
  const groups = Object.entries(groupTitles).map(([group, title]) => {
    const members = hyperparameterNames.filter(
      name => hyperparameterTable[name].group === group && hyperparameterTable[name].advanced === advanced,
    );
    if (members.length === 0) return null;
    return h(
      'section',
      { class: 'group', aria: { label: title } },
      h('h3', {}, title),
      ...members.map(name => fields.get(name)!.element),
    );
  });
  return groups.filter(group => group !== null);
}
