/** @file What the model answered during training, newest first. */
import type { RunState } from '../../src/shared/pages.ts';
import type { SampleRow } from '../../src/shared/runFolder.ts';
import { createRebuilder, h, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';

export function createSampleList(): View<Pick<RunState, 'samples' | 'record' | 'pipeline'>> {
  const element = h('div', { class: 'tab-content samples' });
  const rebuild = createRebuilder<{ samples: readonly SampleRow[]; hasPrompts: boolean; isPipeline: boolean }>(
    element,
    ({ samples, hasPrompts, isPipeline }) => {
      if (isPipeline) return [h('p', { class: 'muted' }, 'Samples are in the runs of the stages.')];
      if (samples.length > 0) return groupByStep(samples).map(drawStep);
      const text = hasPrompts
        ? 'The first answers come with the first evaluation.'
        : 'No sample prompts were set. Set some under “Advanced” before the start to read progress here.';
      return [h('p', { class: 'muted' }, text)];
    },
  );
  return {
    element,
    update: ({ samples, record, pipeline }) =>
      rebuild({
        samples,
        hasPrompts: record === null || record.hyperparameters.samplePrompts.length > 0,
        isPipeline: pipeline !== null,
      }),
  };
}

function groupByStep(samples: readonly SampleRow[]): SampleRow[][] {
  const groups = new Map<number, SampleRow[]>();
  for (const sample of samples) groups.set(sample.step, [...(groups.get(sample.step) ?? []), sample]);
  return [...groups.entries()].sort(([a], [b]) => b - a).map(([, group]) => group);
}

function drawStep(samples: readonly SampleRow[]): HTMLElement {
  const step = samples[0]!.step;
  return h(
    'section',
    {},
    h('h3', { class: 'figures' }, step === 0 ? 'Before training' : `Step ${formatCount(step)}`),
    ...samples.map(({ prompt, text }) =>
      h(
        'div',
        { class: 'sample' },
        h('p', { class: 'muted' }, prompt),
        h('p', { class: 'generated' }, text || '(no text)'),
      ),
    ),
  );
}
