/** @file The decoding settings, the same for all three answers. */
import type { CompareState } from '../../src/shared/pages.ts';
import { createField } from '../controls/field.ts';
import { createTextInput } from '../controls/toolkit.ts';
import { h, type View } from '../dom/element.ts';
import { createTextDraft, type DraftRules } from '../seam/textDraft.ts';

type Settings = CompareState['settings'];

interface Range {
  label: string;
  min: number;
  max: number;
  isWhole: boolean;
  hint?: string;
}

/** The ranges of the host's schema. */
const ranges: Record<keyof Settings, Range> = {
  maxTokens: { label: 'Max tokens', min: 1, max: 8192, isWhole: true },
  temperature: { label: 'Temperature (0 = greedy)', min: 0, max: 5, isWhole: false },
  seed: { label: 'Seed', min: 0, max: Number.MAX_SAFE_INTEGER, isWhole: true },
};

/** The number a text stands for, undefined when it is none or out of range. */
export function readSetting(name: keyof Settings, text: string): number | undefined {
  const { min, max, isWhole } = ranges[name];
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return value >= min && value <= max && (!isWhole || Number.isInteger(value)) ? value : undefined;
}

export function createDecodingFields(onSettings: (settings: Settings) => void): View<Settings> {
  const fields = (Object.keys(ranges) as (keyof Settings)[]).map(name => createNumberField(name, () => send()));
  const send = () => {
    const values = Object.fromEntries(fields.map(field => [field.name, field.read()]));
    if (Object.values(values).every(value => value !== undefined)) onSettings(values as unknown as Settings);
  };
  return {
    element: h('div', { class: 'decoding' }, ...fields.map(field => field.element)),
    update(settings) {
      for (const field of fields) field.receive(settings[field.name]);
    },
  };
}

function createNumberField(name: keyof Settings, onTyped: () => void) {
  const { label, min, max, isWhole } = ranges[name];
  const rules: DraftRules<number> = {
    print: String,
    read: text => readSetting(name, text),
    equals: (a, b) => a === b,
  };
  const input = createTextInput({
    label,
    onInput: () => {
      draft.typed();
      check();
      onTyped();
    },
    onLeave: () => {
      draft.left();
      check();
    },
  });
  const draft = createTextDraft(input, rules);
  const field = createField({ label, control: input.element, describe: input.describe, data: { setting: name } });
  const read = () => readSetting(name, input.value);
  const check = () => {
    const most = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`;
    field.setError(read() === undefined ? `expected a ${isWhole ? 'whole ' : ''}number ${most}` : null);
  };
  return {
    name,
    element: field.element,
    read,
    receive(value: number) {
      draft.receive(value);
      check();
    },
  };
}
