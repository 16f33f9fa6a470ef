/** @file Which model is tuned, or learned from: one that was found, a Hub id or path typed freely, or a folder chosen in a dialog. */
import type { FormState } from '../../src/shared/pages.ts';
import { createField } from '../controls/field.ts';
import { createButton, createDropdown, createTextInput } from '../controls/toolkit.ts';
import { createId, h, setShown, type View } from '../dom/element.ts';
import { createDelayedSend } from '../seam/delayedSend.ts';
import { createTextDraft, plainText } from '../seam/textDraft.ts';

/** No model can have this id: Hub ids and paths hold no line break. */
const typedChoice = '\n';
/** A typed id is looked up after a pause: each try may ask the Hub. */
const pauseMs = 500;

export interface PickedModel extends Pick<FormState, 'models' | 'problems'> {
  /** Empty while none is named. */
  model: string;
}

/** @param setting name of the field: what its problems are called, and (with `Id`) its text field */
export function createModelPicker(
  { title, setting }: { title: string; setting: 'model' | 'teacher' },
  events: { onModel: (model: string) => void; onBrowse: () => void },
): View<PickedModel> {
  const label = h('h2', { id: createId('label') }, title);
  let isTyping = false;
  let models: FormState['models'] = [];

  const dropdown = createDropdown({
    labelId: label.id,
    choices: [],
    onChange: value => {
      isTyping = value === typedChoice;
      setShown(typed.element, isTyping);
      if (isTyping) {
        input.element.focus();
        return;
      }
      showDetail(value);
      typedField.forget();
      picking.typed();
      events.onModel(value);
    },
  });
  const picking = createTextDraft(
    {
      get value() {
        return dropdown.value;
      },
      set value(id) {
        dropdown.value = id;
      },
      isFocused: () => false,
    },
    plainText,
  );
  const input = createTextInput({
    label: 'Hub id or path',
    placeholder: 'owner/name',
    onInput: () => {
      typedField.typed();
      sendTyped.schedule();
    },
    onLeave: () => {
      sendTyped.flush();
      typedField.left();
    },
  });
  const sendTyped = createDelayedSend(pauseMs, () => events.onModel(input.value.trim()));
  const typedField = createTextDraft(input, { ...plainText, read: text => text.trim() });
  const browse = createButton({ label: 'Browse…', onClick: events.onBrowse });
  const picked = createField({
    label: title,
    labelElement: h('div', { class: 'heading-line' }, label, browse.element),
    control: dropdown.element,
    describe: dropdown.describe,
    class: 'is-stack',
    data: { setting },
  });
  const typed = createField({
    label: 'Hub id or path',
    hint: 'A Hugging Face id is downloaded when the run starts.',
    control: input.element,
    describe: input.describe,
    class: 'is-stack',
    data: { setting: `${setting}Id` },
  });
  setShown(typed.element, false);
  const showDetail = (id: string) => picked.setHint(models.find(model => model.id === id)?.detail ?? '');

  return {
    element: h('section', { class: 'group', aria: { label: title } }, picked.element, typed.element),
    update(state) {
      models = state.models;
      const isListed = models.some(model => model.id === state.model);
      if (!isListed && state.model !== '') isTyping = true;
      const problem = state.problems.find(one => one.name === setting)?.message ?? null;
      dropdown.setOptions(
        [
          ...(state.model === '' && !isTyping ? [{ value: '', label: 'Choose a model' }] : []),
          ...models.map(model => ({ value: model.id, label: model.label })),
          { value: typedChoice, label: 'Hub id or path…' },
        ],
        isTyping ? typedChoice : dropdown.value,
      );
      if (isTyping) typedField.receive(state.model);
      else picking.receive(state.model);
      setShown(typed.element, isTyping);
      showDetail(isTyping ? '' : dropdown.value);
      picked.setError(isTyping ? null : problem);
      typed.setError(isTyping ? problem : null);
    },
  };
}
