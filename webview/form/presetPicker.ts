/** @file Recipes to start from: shows which one the settings are, and sets them all by choosing one. */
import type { FormState } from '../../src/shared/pages.ts';
import { findPreset, presets } from '../../src/shared/presets.ts';
import { createField } from '../controls/field.ts';
import { createDropdown } from '../controls/toolkit.ts';
import { createId, h, type View } from '../dom/element.ts';

/** Settings that are no preset's. */
const own = 'own';

export function createPresetPicker(onPreset: (id: string) => void): View<Pick<FormState, 'values' | 'model'>> {
  const label = h('span', { class: 'field-label', id: createId('label') }, 'Preset');
  const dropdown = createDropdown({
    labelId: label.id,
    choices: [{ value: own, label: 'Settings of your own' }, ...presets.map(({ id, label }) => ({ value: id, label }))],
    onChange: id => {
      if (id !== own) onPreset(id);
    },
  });
  const field = createField({
    label: 'Preset',
    labelElement: label,
    control: dropdown.element,
    describe: dropdown.describe,
    class: 'is-stack',
    data: { preset: '' },
  });
  return {
    element: field.element,
    update({ values, model }) {
      const preset = findPreset(values, model);
      dropdown.value = preset?.id ?? own;
      field.setHint(preset?.help ?? '');
    },
  };
}
