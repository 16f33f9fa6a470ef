/** @file A pipeline's stages in order, each with its state, and below them what each stage forgot of the ones before. */
import type { PipelineView, RunState } from '../../src/shared/pages.ts';
import type { ForgettingCell, ForgettingTable, StageState } from '../../src/shared/pipeline.ts';
import { type Child, createRebuilder, h, setShown, type View } from '../dom/element.ts';
import { stateLabels } from './stateLabels.ts';

type Stage = PipelineView['stages'][number];

export interface StageListEvents {
  onOpenStage: (run: string) => void;
  onRestart: (stage: string) => void;
  onOpenFile: () => void;
}

const stageLabels: Record<StageState, string> = {
  waiting: 'Waiting',
  preparing: 'Preparing',
  training: 'Training',
  measuring: 'Measuring held-out rows',
  finished: 'Finished',
  reused: 'Unchanged, not trained again',
};
/** The colour of a state, as those of runs have it. */
const dots: Record<StageState, string> = {
  waiting: 'queued',
  preparing: 'preparing',
  training: 'running',
  measuring: 'running',
  finished: 'finished',
  reused: 'finished',
};

export function createStageList(events: StageListEvents): View<RunState> {
  const element = h('section', { class: 'stages', hidden: true, aria: { label: 'Stages' } });
  const rebuild = createRebuilder<{ pipeline: PipelineView | null; isResting: boolean }>(
    element,
    ({ pipeline, isResting }) => (pipeline === null ? [] : drawPipeline(pipeline, isResting, events)),
  );
  return {
    element,
    update({ pipeline, state }) {
      setShown(element, pipeline !== null);
      rebuild({ pipeline, isResting: ['finished', 'stopped', 'paused', 'failed', 'interrupted'].includes(state) });
    },
  };
}

function drawPipeline(pipeline: PipelineView, isResting: boolean, events: StageListEvents): Child[] {
  const { stages, forgetting, file } = pipeline;
  return [
    h(
      'div',
      { class: 'stages-title' },
      h('h2', {}, 'Stages'),
      createLink(file.split(/[\\/]/).at(-1) ?? file, file, events.onOpenFile),
    ),
    h('ol', { class: 'stage-list' }, ...stages.map((stage, i) => drawStage(stage, i, isResting, events))),
    ...drawForgetting(forgetting),
  ];
}

function drawStage(stage: Stage, index: number, isResting: boolean, events: StageListEvents): HTMLElement {
  const { name, detail, run, state } = stage;
  const label = describeState(stage, isResting);
  const dot = isResting && stage.runState === 'failed' ? 'failed' : dots[state];
  return h(
    'li',
    { class: 'stage', data: { stage: name, state } },
    h('span', { class: 'stage-number figures muted', aria: { hidden: 'true' } }, String(index + 1)),
    h(
      'div',
      { class: 'stage-body' },
      h('div', { class: 'stage-name cut', title: name }, name),
      h('div', { class: 'muted cut', title: detail }, detail),
    ),
    h(
      'span',
      { class: 'state-badge', data: { state: dot } },
      h('span', { class: 'state-dot' }),
      h('span', { class: 'figures' }, label),
    ),
    h(
      'span',
      { class: 'stage-actions' },
      run === null ? null : createLink('Open run', `Open the run of ${name}`, () => events.onOpenStage(run)),
      isResting
        ? createLink('Restart from here', `Train ${name} and all after it anew`, () => events.onRestart(name))
        : null,
    ),
  );
}

/** What a stage does; at rest, in which state it was left. */
function describeState({ state, runState, steps }: Stage, isResting: boolean): string {
  if (state === 'training' && runState !== null && (isResting || runState !== 'running')) {
    return steps === '' ? stateLabels[runState] : `${stateLabels[runState]} at step ${steps}`;
  }
  return state === 'training' && steps !== '' ? `Training, step ${steps}` : stageLabels[state];
}

function drawForgetting({ sets, rows }: ForgettingTable): Child[] {
  if (sets.length === 0) return [];
  const head = h('tr', {}, header('After stage', 'col'), ...sets.map(set => header(set, 'col', 'forgetting-figure')));
  const body = rows.map(({ stage, cells }) => h('tr', {}, header(stage, 'row'), ...cells.map(drawCell)));
  return [
    h('h2', {}, 'What is kept'),
    h(
      'p',
      { class: 'muted' },
      'Loss in nats on the held-out rows of each stage, after each stage, and its change since the rows’ own stage. A rise is what was forgotten.',
    ),
    h(
      'div',
      { class: 'forgetting-frame' },
      h('table', { class: 'forgetting figures' }, h('thead', {}, head), h('tbody', {}, ...body)),
    ),
  ];
}

function drawCell(cell: ForgettingCell | null): HTMLElement {
  if (cell === null) return h('td', { class: 'forgetting-figure' });
  const { lossNats, changeNats } = cell;
  const tone = changeNats === null || Math.abs(changeNats) < 5e-4 ? 'same' : changeNats > 0 ? 'worse' : 'better';
  const change = changeNats === null ? '' : `${changeNats < 0 ? '−' : '+'}${Math.abs(changeNats).toFixed(3)}`;
  return h(
    'td',
    { class: 'forgetting-figure' },
    h('span', {}, lossNats.toFixed(3)),
    h('span', { class: 'forgetting-change', data: { tone } }, change),
  );
}

function header(text: string, scope: 'col' | 'row', className = ''): HTMLElement {
  const cell = h('th', { class: className, title: text }, h('span', { class: 'cut' }, text));
  cell.scope = scope;
  return cell;
}

function createLink(label: string, title: string, onClick: () => void): HTMLElement {
  return h('button', { class: 'link', title, onClick }, label);
}
