/** @file A dataset's panel: what is in it, how long its rows are, what is wrong with them, and what people decided. */
import '../seam/disableEval.ts';
import '../style/base.css';
import '../run/run.css';
import './dataset.css';
import { datasetStateSchema } from '../../src/shared/pageSnapshots.ts';
import type { DatasetState } from '../../src/shared/pages.ts';
import { createErrorNotice } from '../controls/notice.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, setCutText, setText } from '../dom/element.ts';
import { mountPage } from '../dom/mountPage.ts';
import { connectHost } from '../seam/host.ts';
import { createFindingList } from './findingList.ts';
import { createLengthChart } from './lengthChart.ts';
import { createOverviewTiles } from './overviewTiles.ts';
import { createReviewQueue } from './reviewQueue.ts';

const host = connectHost('dataset/state', datasetStateSchema, draw);
const openLine = (file: string, line: number) => host.send({ type: 'dataset/openLine', file, line });

const name = h('h1', { class: 'cut' });
const busy = h('p', { class: 'muted', role: 'status' });
const path = h('p', { class: 'muted cut' });
const error = createErrorNotice();
const tiles = createOverviewTiles();
const check = createButton({ label: 'Check every row', onClick: () => host.send({ type: 'dataset/check' }) });
const clean = createButton({ label: 'Clean…', onClick: () => host.send({ type: 'dataset/clean' }) });
const tune = createButton({
  label: 'Fine-tune…',
  appearance: 'primary',
  onClick: () => host.send({ type: 'dataset/fineTune' }),
});
const lengths = createLengthChart();
const findings = createFindingList({ onOpen: openLine });
const review = createReviewQueue({
  onShow: (state, offset) => host.send({ type: 'dataset/showReview', state, offset }),
  onDecide: (key, decision, note, answer) => host.send({ type: 'dataset/decide', key, decision, note, answer }),
  onOpen: openLine,
});

const show = mountPage(
  h(
    'main',
    { class: 'run dataset' },
    h(
      'header',
      { class: 'run-header' },
      h('div', { class: 'title-line' }, name, busy),
      path,
      error.element,
      tiles.element,
      h('div', { class: 'button-line' }, check.element, clean.element, tune.element),
    ),
    lengths.element,
    findings.element,
    review.element,
  ),
);

function draw(state: DatasetState): void {
  show();
  setCutText(name, state.name);
  setCutText(path, state.path);
  setText(busy, state.busy === null ? '' : `${state.busy}…`);
  error.update(state.error);
  check.setDisabled(state.busy !== null);
  for (const view of [tiles, lengths, findings, review]) view.update(state);
}
