/** @file A run's panel: its state and figures, its curves while they grow, and what can be asked of it. */
import '../seam/disableEval.ts';
import 'uplot/dist/uPlot.min.css';
import '../style/base.css';
import './run.css';
import { runStateSchema } from '../../src/shared/pageSnapshots.ts';
import type { RunState } from '../../src/shared/pages.ts';
import { createTabs } from '../controls/toolkit.ts';
import { h, setShown } from '../dom/element.ts';
import { mountPage } from '../dom/mountPage.ts';
import { connectHost } from '../seam/host.ts';
import { createCharts, type KeptChart } from './charts.ts';
import { createDatasetNotice } from './datasetNotice.ts';
import { createLogTail } from './logTail.ts';
import { createRecipeFacts } from './recipeFacts.ts';
import { createRunControls } from './runControls.ts';
import { createRunHeader } from './runHeader.ts';
import { createRunNotices } from './runNotices.ts';
import { createSampleList } from './sampleList.ts';
import { createStageList } from './stageList.ts';
import { createTrackerLines } from './trackerLines.ts';

const defaultSmoothing = 0.9;
const host = connectHost('run/state', runStateSchema, draw);
const kept = host.recall() as Partial<KeptChart> | null | undefined;

const header = createRunHeader();
const controls = createRunControls({
  onControl: action => host.send({ type: 'run/control', action }),
  onCompare: () => host.send({ type: 'run/compare' }),
  onAgain: () => host.send({ type: 'run/again' }),
  onReveal: () => host.send({ type: 'run/reveal' }),
});
const notices = createRunNotices();
const dataset = createDatasetNotice(() => host.send({ type: 'run/showDifferences' }));
const charts = createCharts(
  { smoothing: kept?.smoothing ?? defaultSmoothing, rateOpen: kept?.rateOpen ?? false },
  chart => host.remember(chart),
);
const stages = createStageList({
  onOpenStage: run => host.send({ type: 'run/openStage', run }),
  onRestart: stage => host.send({ type: 'run/restartStage', stage }),
  onOpenFile: () => host.send({ type: 'run/openPipeline' }),
});
const log = createLogTail(() => host.send({ type: 'run/showLog' }));
const samples = createSampleList();
const recipe = createRecipeFacts();
const trackers = createTrackerLines((kind, action) => host.send({ type: 'run/tracker', kind, action }));
const parts = [header, controls, notices, dataset, trackers, stages, charts, log, samples, recipe];

const show = mountPage(
  h(
    'main',
    { class: 'run' },
    header.element,
    controls.element,
    notices.element,
    dataset.element,
    stages.element,
    trackers.element,
    charts.element,
    createTabs('Details', [
      { id: 'log', label: 'Log', content: log.element },
      { id: 'samples', label: 'Samples', content: samples.element },
      { id: 'recipe', label: 'Recipe', content: recipe.element },
    ]),
  ),
);

function draw(state: RunState): void {
  show();
  setShown(charts.element, state.pipeline === null);
  for (const part of parts) part.update(state);
}
