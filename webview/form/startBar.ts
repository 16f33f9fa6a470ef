/** @file The button that starts the run, always in sight; while it cannot, it says why. */
import { type HyperparameterName, hyperparameterTable } from '../../src/shared/hyperparameters.ts';
import type { FormState } from '../../src/shared/pages.ts';
import { createErrorNotice } from '../controls/notice.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, setText } from '../dom/element.ts';
import { describeRefusal } from './forecastCard.ts';

const noForecast: NonNullable<FormState['forecast']> = {
  forecast: null,
  trainingMs: null,
  fit: null,
  canStart: true,
  findings: [],
  error: null,
};

const fieldLabels: Record<string, string> = {
  dataset: 'Dataset',
  model: 'Model',
  startFrom: 'Starts from',
  runName: 'Run name',
};

export interface StartBar {
  readonly element: HTMLElement;
  update(state: FormState, wrong: readonly HyperparameterName[]): void;
}

export function createStartBar(onStart: () => void, onFindBest: () => void): StartBar {
  const button = createButton({ label: 'Start fine-tuning', appearance: 'primary', onClick: onStart });
  button.element.classList.add('wide');
  const best = createButton({ label: 'Find the best…', onClick: onFindBest });
  best.element.classList.add('wide');
  const reason = h('p', { class: 'start-reason', role: 'status' });
  const error = createErrorNotice();
  return {
    element: h('footer', { class: 'start-bar' }, error.element, button.element, best.element, reason),
    update(state, wrong) {
      const refusal = whyNotStart(state, wrong);
      button.describe([reason]);
      button.setDisabled(refusal !== null);
      best.describe([reason]);
      best.setDisabled(whyNotSearch(state, wrong) !== null);
      button.setLabel(state.starting ? 'Starting…' : 'Start fine-tuning');
      setText(reason, refusal ?? '');
      error.update(state.error);
    },
  };
}

/** A search chooses what fits the memory by itself: only what it needs to begin stands against it. */
function whyNotSearch(state: FormState, wrong: readonly HyperparameterName[]): string | null {
  const refusal = whyNotStart({ ...state, forecasting: false, forecast: state.forecast ?? noForecast }, wrong);
  const isMemory = state.forecast?.findings.some(({ code }) => code === 'memory') === true;
  return isMemory && refusal === (state.forecast && describeRefusal(state.forecast)) ? null : refusal;
}

/** Why the run cannot start now, null when it can. */
export function whyNotStart(state: FormState, wrong: readonly HyperparameterName[]): string | null {
  if (state.starting) return 'The run is being started.';
  if (!state.trusted) return 'Restricted Mode: trust this folder to start a run.';
  if (state.dataset === null) return 'Choose a dataset first.';
  if (state.model === '') return 'Choose a base model first.';
  if (state.inspecting) return 'Waiting until the dataset is read.';
  if (wrong.length > 0) {
    const labels = wrong.map(name => hyperparameterTable[name].label).join(', ');
    return wrong.length === 1 ? `One setting is wrong: ${labels}.` : `${wrong.length} settings are wrong: ${labels}.`;
  }
  if (state.runName.trim() === '') return 'Name the run first.';
  const [problem] = state.problems;
  if (problem) return `${fieldLabels[problem.name] ?? problem.name}: ${problem.message}`;
  if (state.forecasting) return 'Waiting for the forecast.';
  if (state.forecast === null) return 'Waiting for the forecast.';
  return describeRefusal(state.forecast);
}
