/** @file A search's panel: how far it is, which trials it tried, what came of them and what mattered. */
import '../seam/disableEval.ts';
import 'uplot/dist/uPlot.min.css';
import '../style/base.css';
import '../run/run.css';
import './study.css';
import { studyStateSchema } from '../../src/shared/pageSnapshots.ts';
import type { StudyState } from '../../src/shared/pages.ts';
import { h } from '../dom/element.ts';
import { mountPage } from '../dom/mountPage.ts';
import { connectHost } from '../seam/host.ts';
import { createImportanceBars } from './importanceBars.ts';
import { createParallelCoordinates } from './parallelCoordinates.ts';
import { createStudyCharts } from './studyCharts.ts';
import { createStudyControls } from './studyControls.ts';
import { createStudyHeader } from './studyHeader.ts';
import { createTrialTable } from './trialTable.ts';

const host = connectHost('study/state', studyStateSchema, draw);
let newest: StudyState | null = null;
let selected: number | null = null;
const select = (trial: number | null) => {
  selected = trial === selected ? null : trial;
  if (newest !== null) update(newest);
};

const header = createStudyHeader();
const controls = createStudyControls({
  onControl: action => host.send({ type: 'study/control', action }),
  onReport: () => host.send({ type: 'study/report' }),
  onCompare: () => host.send({ type: 'study/compare' }),
  onReveal: () => host.send({ type: 'study/reveal' }),
});
const charts = createStudyCharts();
const coordinates = createParallelCoordinates(select);
const importance = createImportanceBars();
const table = createTrialTable({ onSelect: select, onOpen: run => host.send({ type: 'study/openTrial', run }) });

const show = mountPage(
  h(
    'main',
    { class: 'run study' },
    header.element,
    controls.element,
    charts.element,
    coordinates.element,
    importance.element,
    table.element,
  ),
);

function draw(state: StudyState): void {
  show();
  newest = state;
  update(state);
}

function update(state: StudyState): void {
  header.update(state);
  controls.update(state);
  for (const view of [charts, coordinates, importance, table]) view.update({ ...state, selected });
}
