/** @file What the adapter begins as: new, one that is trained on, or a new one on top of others; with the adapters named. */
import type { FormState } from '../../src/shared/pages.ts';
import { createField } from '../controls/field.ts';
import { createButton, createDropdown, createIconButton } from '../controls/toolkit.ts';
import { createId, createRebuilder, h, setShown, type View } from '../dom/element.ts';
import { drawIcon } from '../dom/icon.ts';

type Mode = FormState['start']['mode'];

const choices: readonly { readonly value: Mode; readonly label: string; readonly hint: string }[] = [
  { value: 'fresh', label: 'A new adapter', hint: '' },
  {
    value: 'continue',
    label: 'An existing adapter, trained further',
    hint: 'Rank, alpha, layers and the kind of LoRA are those of the adapter; what stands below for them is not used.',
  },
  {
    value: 'stack',
    label: 'A new adapter on top of others',
    hint: 'The others stay as they are; the result holds them too.',
  },
];

export function createStartFromCard(events: {
  onMode: (mode: Mode) => void;
  onAdd: () => void;
  onRemove: (path: string) => void;
}): View<Pick<FormState, 'start' | 'values' | 'problems'>> {
  const label = h('h2', { id: createId('label') }, 'Starts from');
  const dropdown = createDropdown({
    labelId: label.id,
    choices: choices.map(({ value, label: text }) => ({ value, label: text })),
    onChange: value => events.onMode(value as Mode),
  });
  const add = createButton({ label: 'Choose adapter…', onClick: events.onAdd });
  const field = createField({
    label: 'Starts from',
    labelElement: h('div', { class: 'heading-line' }, label, add.element),
    control: dropdown.element,
    describe: dropdown.describe,
    class: 'is-stack',
    data: { setting: 'startFrom' },
  });
  const list = h('ul', { class: 'adapter-list', aria: { label: 'Adapters to start from' } });
  const rebuild = createRebuilder<FormState['start']['adapters']>(list, adapters =>
    adapters.map(({ path, label: name }) => {
      const remove = createIconButton({
        icon: drawIcon('close'),
        label: `Remove ${name}`,
        onClick: () => events.onRemove(path),
      });
      return h('li', { title: path }, h('span', { class: 'adapter-name' }, name), remove.element);
    }),
  );
  const element = h('section', { class: 'group', aria: { label: 'Starts from' } }, field.element, list);
  return {
    element,
    update({ start, values, problems }) {
      setShown(element, values.method === 'lora');
      dropdown.value = start.mode;
      setShown(add.element, start.mode !== 'fresh');
      add.setLabel(start.mode === 'stack' && start.adapters.length > 0 ? 'Add adapter…' : 'Choose adapter…');
      setShown(list, start.mode !== 'fresh' && start.adapters.length > 0);
      rebuild(start.adapters);
      field.setHint(choices.find(({ value }) => value === start.mode)!.hint);
      field.setError(problems.find(({ name }) => name === 'startFrom')?.message ?? null);
    },
  };
}
