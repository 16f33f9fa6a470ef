/** @file Which engine will train and why, and what is missing for the one that was chosen. */
import { type Engine, engineLabels } from '../../src/shared/engineChoice.ts';
import type { FormState } from '../../src/shared/pages.ts';
import { createNotice } from '../controls/notice.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, setShown, setText, type View } from '../dom/element.ts';

type Shown = Pick<FormState, 'values' | 'forecast' | 'python'>;

export function createEngineCard(onSetUp: () => void): View<Shown> {
  const title = h('p', { role: 'status' });
  const detail = h('p', { class: 'muted' });
  const setUp = createButton({ label: 'Set Up PyTorch…', onClick: onSetUp });
  const element = createNotice('info', title, detail, setUp.element);
  element.classList.add('engine-card');
  return {
    element,
    update(state) {
      const text = describeEngine(state);
      setShown(element, text !== null);
      if (text === null) return;
      setText(title, text.title);
      setText(detail, text.detail);
      setShown(detail, text.detail !== '');
      setShown(setUp.element, text.offersSetUp);
    },
  };
}

/** The engine whose limits hold: the chosen one, or the one that `auto` came to. */
export function engineOf({ values, forecast }: Pick<FormState, 'values' | 'forecast'>): Engine {
  return values.engine === 'auto' ? (forecast?.engine?.engine ?? 'embedded') : values.engine;
}

const titles = {
  unknown: 'Looking for PyTorch…',
  missing: 'PyTorch is not set up yet.',
  broken: 'This Python cannot run PyTorch.',
} as const;

interface EngineText {
  readonly title: string;
  readonly detail: string;
  readonly offersSetUp: boolean;
}

/** Null while there is nothing to say that the settings do not say already. */
export function describeEngine({ values, forecast, python }: Shown): EngineText | null {
  if (values.engine === 'embedded') return null;
  if (values.engine === 'pytorch') {
    if (python?.state === 'ready')
      return { title: 'Trains with the PyTorch engine.', detail: python.text, offersSetUp: false };
    return { title: titles[python?.state ?? 'unknown'], detail: python?.text ?? '', offersSetUp: python !== null };
  }
  const choice = forecast?.engine;
  const offer = python?.offer ?? '';
  if (choice === undefined) {
    return offer === '' ? null : { title: 'PyTorch could use a graphics card here.', detail: offer, offersSetUp: true };
  }
  const detail = offer === '' ? choice.reason : `${choice.reason} ${offer}`;
  return { title: `Trains with ${engineLabels[choice.engine]}.`, detail, offersSetUp: offer !== '' };
}
