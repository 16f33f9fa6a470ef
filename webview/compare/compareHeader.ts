/** @file Which base model is compared and which of its adapters; switching does not load the base again. */
import type { CompareState } from '../../src/shared/pages.ts';
import { createMeter } from '../controls/meter.ts';
import { createDropdown } from '../controls/toolkit.ts';
import { createId, h, setCutText, setShown, setText, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';
import { createTextDraft, plainText } from '../seam/textDraft.ts';

export function createCompareHeader(onAdapter: (run: string) => void): View<CompareState> {
  const model = h('p', { class: 'muted cut' });
  const label = h('span', { class: 'muted', id: createId('label') }, 'Tuned adapter');
  const dropdown = createDropdown({
    labelId: label.id,
    choices: [],
    onChange: run => {
      draft.typed();
      onAdapter(run);
    },
  });
  const draft = createTextDraft(
    {
      get value() {
        return dropdown.value;
      },
      set value(run) {
        dropdown.value = run;
      },
      isFocused: () => false,
    },
    plainText,
  );
  const meter = createMeter('progressbar', 'Loading the model');
  const phase = h('p', { class: 'muted figures', role: 'status' });
  const loading = h('div', { class: 'loading' }, phase, meter.element);
  return {
    element: h(
      'header',
      { class: 'compare-header' },
      h('div', { class: 'title' }, h('h1', {}, 'Compare'), model),
      h('div', { class: 'adapter-picker' }, label, dropdown.element),
      loading,
    ),
    update(state) {
      setCutText(model, state.model);
      const options = state.adapters.map(({ run, name }) => ({ value: run, label: name }));
      dropdown.setOptions(
        state.adapter === null ? [{ value: '', label: 'No finished adapter' }, ...options] : options,
        dropdown.value,
      );
      draft.receive(state.adapter ?? '');
      dropdown.setDisabled(state.adapters.length === 0);
      setShown(loading, state.loading !== null);
      if (state.loading === null) return;
      const { done, total } = state.loading;
      const text = `Loading the model: ${state.loading.phase}${total > 1 ? ` ${formatCount(done)} of ${formatCount(total)}` : ''}`;
      setText(phase, text);
      meter.update({ value: done, max: total, text, tone: 'normal' });
    },
  };
}
