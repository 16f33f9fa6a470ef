/** @file Settings that suit the chosen model and dataset: said where they are used, offered where they are not. */
import { type HyperparameterName, hyperparameterTable } from '../../src/shared/hyperparameters.ts';
import type { FormState } from '../../src/shared/pages.ts';
import { type Suggestion, suggestedNames } from '../../src/shared/suggestSettings.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { createNotice } from '../controls/notice.ts';
import { createButton } from '../controls/toolkit.ts';
import { createRebuilder, h, setShown, setText, type View } from '../dom/element.ts';
import { settingLabel } from './settingControl.ts';
import { isSameValue, printSetting } from './settingText.ts';

export function createSuggestionCard(onSuggest: (on: boolean) => void): View<Pick<FormState, 'suggestion' | 'values'>> {
  const title = h('p', { role: 'status' });
  const facts = h('dl', { class: 'facts' });
  const rebuildFacts = createRebuilder<Suggestion | null>(facts, suggestion =>
    suggestion === null ? [] : suggestedNames.flatMap(name => drawFact(name, suggestion.values[name])),
  );
  const reasons = h('ul', { class: 'reasons muted' });
  const rebuildReasons = createRebuilder<Suggestion | null>(reasons, suggestion =>
    (suggestion?.reasons ?? []).map(reason => h('li', {}, reason)),
  );
  let isUsed = false;
  const button = createButton({ label: '', onClick: () => onSuggest(!isUsed) });
  const element = createNotice('info', title, facts, createDisclosure('Why', {}, reasons).element, button.element);
  return {
    element,
    update({ suggestion, values }) {
      setShown(element, suggestion !== null && !isUsual(suggestion));
      if (suggestion === null) return;
      isUsed = suggestedNames.every(name => isSameValue(values[name], suggestion.values[name]));
      setText(title, isUsed ? 'Set to suit this model and dataset:' : 'Suggested for this model and dataset:');
      rebuildFacts(suggestion);
      rebuildReasons(suggestion);
      button.setLabel(isUsed ? 'Use defaults' : 'Use suggested settings');
    },
  };
}

/** Nothing is gained by saying that the defaults suit. */
function isUsual({ values }: Suggestion): boolean {
  return suggestedNames.every(name => isSameValue(values[name], hyperparameterTable[name].default));
}

function drawFact(name: HyperparameterName, value: unknown): HTMLElement[] {
  return [
    h('dt', {}, settingLabel(hyperparameterTable[name])),
    h('dd', { class: 'figures' }, printSetting(name, value)),
  ];
}
