/** @file The input that fits a setting's kind; whatever its looks, its value is one text. */
import { linearLayers, type Setting } from '../../src/shared/hyperparameters.ts';
import { createCheckbox, createDropdown, createTextInput, type InputControl } from '../controls/toolkit.ts';
import { createId, h } from '../dom/element.ts';
import type { TextControl } from '../seam/textDraft.ts';

export interface SettingControl extends TextControl {
  readonly element: HTMLElement;
  readonly labelElement: HTMLElement | null;
  readonly describe: InputControl['describe'] | null;
  /** Takes choices away that cannot be made now, all but the one that is chosen; null brings them back. */
  readonly allow?: (values: readonly (string | boolean | null)[] | null) => void;
  /** How the field is laid out. */
  readonly layout: 'row' | 'stack';
}

export interface SettingEvents {
  onChange: () => void;
  onLeave: () => void;
}

export function settingLabel(setting: Setting): string {
  const unit = 'unit' in setting ? setting.unit : undefined;
  // Sizes are typed with a unit of their own.
  return unit === undefined || unit === 'bytes' || setting.label.includes(unit)
    ? setting.label
    : `${setting.label} (${unit})`;
}

/** The control for a setting of this kind. */
export function createSettingControl(setting: Setting, events: SettingEvents): SettingControl {
  switch (setting.kind) {
    case 'choice':
      return createChoiceControl(setting.label, setting.choices, events);
    case 'flag':
      return createFlagControl(setting.label, events);
    case 'layers':
      return createLayersControl(setting.label, events);
    default:
      return createTextControl(setting, events);
  }
}

function createTextControl(setting: Setting, events: SettingEvents): SettingControl {
  const input = createTextInput({
    label: setting.kind === 'texts' ? `${setting.label} (one a line)` : settingLabel(setting),
    ...('emptyText' in setting ? { placeholder: setting.emptyText } : {}),
    ...(setting.kind === 'texts' ? { rows: 3 } : {}),
    onInput: events.onChange,
    onLeave: events.onLeave,
  });
  return Object.assign(input, { labelElement: null, layout: setting.kind === 'texts' ? 'stack' : 'row' } as const);
}

function createChoiceControl(
  label: string,
  choices: readonly { readonly value: string; readonly label: string }[],
  events: SettingEvents,
): SettingControl {
  const labelElement = h('span', { class: 'field-label', id: createId('label') }, label);
  const dropdown = createDropdown({ labelId: labelElement.id, choices, onChange: events.onChange });
  return {
    element: dropdown.element,
    labelElement,
    layout: 'row',
    describe: dropdown.describe,
    allow(values) {
      dropdown.disable(choices.filter(({ value }) => values?.includes(value) === false).map(({ value }) => value));
    },
    get value() {
      return dropdown.value;
    },
    set value(text) {
      dropdown.value = text;
    },
    isFocused: () => false,
  };
}

function createFlagControl(label: string, events: SettingEvents): SettingControl {
  const checkbox = createCheckbox({ label, onChange: events.onChange });
  return {
    element: checkbox.element,
    labelElement: null,
    layout: 'stack',
    describe: (_invalid, descriptions) => checkbox.describe(descriptions),
    get value() {
      return String(checkbox.checked);
    },
    set value(text) {
      checkbox.checked = text === 'true';
    },
    isFocused: () => false,
  };
}

function createLayersControl(label: string, events: SettingEvents): SettingControl {
  const labelElement = h('span', { class: 'field-label', id: createId('label') }, label);
  const boxes = linearLayers.map(layer => ({
    layer,
    checkbox: createCheckbox({ label: layer, onChange: events.onChange }),
  }));
  const element = h(
    'div',
    { class: 'layer-boxes', role: 'group', aria: { labelledby: labelElement.id } },
    ...boxes.map(box => box.checkbox.element),
  );
  return {
    element,
    labelElement,
    layout: 'stack',
    describe: (_invalid, descriptions) =>
      element.setAttribute('aria-describedby', descriptions.map(d => d.id).join(' ')),
    get value() {
      return boxes
        .filter(box => box.checkbox.checked)
        .map(box => box.layer)
        .join(', ');
    },
    set value(text) {
      const chosen = text.split(', ');
      for (const box of boxes) box.checkbox.checked = chosen.includes(box.layer);
    },
    isFocused: () => false,
  };
}
