/** @file One hyperparameter of the form: checked while typed, marked where changed, reset by a button. */
import type { EngineLimit } from '../../src/shared/engineCapabilities.ts';
import { type HyperparameterName, hyperparameterTable, type Setting } from '../../src/shared/hyperparameters.ts';
import { createField } from '../controls/field.ts';
import { createTextDraft } from '../seam/textDraft.ts';
import { createSettingControl } from './settingControl.ts';
import { checkText, isSameValue, printSetting, settingRules, wireText } from './settingText.ts';

export interface SettingField {
  readonly name: HyperparameterName;
  readonly element: HTMLElement;
  /** The host's value and what it says is wrong with it. */
  update(value: unknown, hostProblem: string | null): void;
  /** What the engine allows of its values, if not all. */
  limit(limit: EngineLimit | undefined): void;
  /** What is wrong with what is shown, null when nothing is. */
  problem(): string | null;
  isChanged(): boolean;
  /** The text as typed when it is not a valid value: what a page made anew has to bring back, and say to the host again. */
  invalidText(): string | null;
  restore(text: string): void;
  /** Lets the host's next value in whatever was typed. */
  forget(): void;
}

export function createSettingField(
  name: HyperparameterName,
  send: (text: string) => void,
  onTyped: () => void,
): SettingField {
  const setting: Setting = hyperparameterTable[name];
  let problem: string | null = null;
  let changed = false;
  let hostSays: string | null = null;

  const control = createSettingControl(setting, {
    onChange: () => {
      draft.typed();
      hostSays = null;
      show();
      send(wireText(name, control.value));
      onTyped();
    },
    onLeave: () => {
      draft.left();
      // Leaving may bring the host's value back in place of a wrong text.
      show();
      onTyped();
    },
  });
  const rules = settingRules(name);
  const draft = createTextDraft(control, rules);
  const hint = 'unit' in setting && setting.unit === 'bytes' ? `${setting.help} Type for example 8 GiB.` : setting.help;
  const field = createField({
    label: setting.label,
    hint,
    control: control.element,
    ...(control.labelElement ? { labelElement: control.labelElement } : {}),
    describe: control.describe,
    class: `setting setting-${setting.kind} is-${control.layout}`,
    data: { setting: name },
    onReset: () => {
      control.value = printSetting(name, setting.default);
      draft.typed();
      hostSays = null;
      show();
      send(wireText(name, control.value));
      onTyped();
    },
  });

  const show = () => {
    problem = checkText(name, control.value) ?? hostSays;
    changed = !isSameValue(rules.read(control.value), setting.default);
    field.setError(problem);
    field.setChanged(changed);
  };

  return {
    name,
    element: field.element,
    update(value, hostProblem) {
      draft.receive(value);
      hostSays = hostProblem;
      show();
    },
    limit(limit) {
      control.allow?.(limit?.allowed ?? null);
      field.setHint(limit === undefined ? hint : `${hint} ${limit.reason}`);
    },
    problem: () => problem,
    isChanged: () => changed,
    // Without a problem yet, an empty field only waits for its first value.
    invalidText: () => (problem === null || checkText(name, control.value) === null ? null : control.value),
    restore(text) {
      control.value = text;
      draft.typed();
      show();
      send(wireText(name, text));
    },
    forget: () => draft.forget(),
  };
}
