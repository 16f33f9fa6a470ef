/** @file How the file's fields become examples, changed by hand: a kind, and a field of the file for each of its slots. */
import type { DatasetInspection } from '../../src/shared/datasetProtocol.ts';
import { mappingSlots } from '../../src/shared/mappingSlots.ts';
import type { Mapping } from '../../src/shared/recipe.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { createField } from '../controls/field.ts';
import { createButton, createDropdown } from '../controls/toolkit.ts';
import { createId, createRebuilder, h, type View } from '../dom/element.ts';

export const mappingLabels: Record<Mapping['kind'], string> = {
  messages: 'Chat messages',
  conversations: 'Conversations (ShareGPT)',
  instruction: 'Instruction and output (Alpaca)',
  promptCompletion: 'Prompt and completion',
  questionAnswer: 'Question and answer',
  preference: 'Preferences (chosen and rejected)',
  text: 'Running text',
};
const kinds = Object.keys(mappingLabels) as Mapping['kind'][];

/** An optional slot that takes no field; no field can have this name in the dropdown. */
const noField = '\n';

export function createMappingEditor(onMapping: (mapping: Mapping | null) => void): View<DatasetInspection> {
  const body = h('div', { class: 'mapping' });
  let chosen: Mapping = { kind: 'text', fields: {} };
  let fields: readonly string[] = [];
  const redraw = () => rebuild({ chosen, fields });
  const rebuild = createRebuilder<{ chosen: Mapping; fields: readonly string[] }>(body, () => [
    drawDropdown(
      'Kind',
      kinds.map(kind => ({ value: kind, label: mappingLabels[kind] })),
      chosen.kind,
      kind => {
        chosen = guessSlots(kind as Mapping['kind'], fields, chosen);
        redraw();
      },
    ),
    ...slotsOf(chosen.kind).map(({ slot, isOptional }) =>
      drawDropdown(
        isOptional ? `${slot} (optional)` : slot,
        [
          ...(isOptional ? [{ value: noField, label: 'none' }] : []),
          ...withCurrent(fields, chosen.fields[slot]).map(field => ({ value: field, label: field })),
        ],
        chosen.fields[slot] ?? noField,
        field => {
          const { [slot]: _, ...rest } = chosen.fields;
          chosen = { kind: chosen.kind, fields: field === noField ? rest : { ...rest, [slot]: field } };
          redraw();
        },
      ),
    ),
    h(
      'div',
      { class: 'buttons' },
      createButton({ label: 'Apply', onClick: () => onMapping(chosen) }).element,
      createButton({ label: 'Detect again', onClick: () => onMapping(null) }).element,
    ),
  ]);
  let shown = '';
  const disclosure = createDisclosure('Change mapping', {}, body);
  return {
    element: disclosure.element,
    update(inspection) {
      // A snapshot that says nothing new leaves a mapping that is being edited as it is.
      const key = JSON.stringify([inspection.path, inspection.mapping, inspection.fields]);
      if (key === shown) return;
      shown = key;
      chosen = inspection.mapping;
      fields = inspection.fields;
      redraw();
    },
  };
}

function slotsOf(kind: Mapping['kind']): { slot: string; isOptional: boolean }[] {
  const { required, optional } = mappingSlots[kind];
  return [
    ...required.map(slot => ({ slot, isOptional: false })),
    ...optional.map(slot => ({ slot, isOptional: true })),
  ];
}

/** Slots of another kind: the field of that name, else the one at the same place, else the first. */
function guessSlots(kind: Mapping['kind'], fields: readonly string[], before: Mapping): Mapping {
  const taken = Object.values(before.fields);
  const required: readonly string[] = mappingSlots[kind].required;
  const guess = required.map((slot, i) => [slot, fields.includes(slot) ? slot : (taken[i] ?? fields[i] ?? slot)]);
  return { kind, fields: Object.fromEntries(guess) };
}

function withCurrent(fields: readonly string[], current: string | undefined): readonly string[] {
  return current === undefined || fields.includes(current) ? fields : [...fields, current];
}

function drawDropdown(
  label: string,
  choices: { value: string; label: string }[],
  value: string,
  onChange: (value: string) => void,
): HTMLElement {
  const labelElement = h('span', { class: 'field-label', id: createId('label') }, label);
  const dropdown = createDropdown({ labelId: labelElement.id, choices: [], onChange });
  dropdown.setOptions(choices, value);
  return createField({ label, labelElement, control: dropdown.element, describe: null, class: 'is-row' }).element;
}
