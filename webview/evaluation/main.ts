/** @file An evaluation's panel: how far it is, every candidate's figures with intervals, and the rows behind them. */
import '../seam/disableEval.ts';
import '../style/base.css';
import '../run/run.css';
import './evaluation.css';
import { evaluationStateSchema } from '../../src/shared/pageSnapshots.ts';
import { h } from '../dom/element.ts';
import { mountPage } from '../dom/mountPage.ts';
import { connectHost } from '../seam/host.ts';
import { createDifferenceTable } from './differenceTable.ts';
import { createEvaluationControls } from './evaluationControls.ts';
import { createEvaluationHeader } from './evaluationHeader.ts';
import { createFigureTable } from './figureTable.ts';
import { createOpenedRow } from './openedRow.ts';
import { createRowList } from './rowList.ts';

const host = connectHost('evaluation/state', evaluationStateSchema, draw);

const header = createEvaluationHeader();
const controls = createEvaluationControls({
  onControl: action => host.send({ type: 'evaluation/control', action }),
  onReport: () => host.send({ type: 'evaluation/report' }),
  onBrowse: () => host.send({ type: 'evaluation/browse' }),
  onReveal: () => host.send({ type: 'evaluation/reveal' }),
});
const figures = createFigureTable();
const differences = createDifferenceTable();
const rows = createRowList({
  onFilter: filter => host.send({ type: 'evaluation/filter', filter }),
  onOpen: row => host.send({ type: 'evaluation/openRow', row }),
});
const opened = createOpenedRow(() => host.send({ type: 'evaluation/openRow', row: null }));
const views = [header, controls, figures, differences, rows, opened];

const show = mountPage(h('main', { class: 'run evaluation' }, ...views.map(({ element }) => element)));

function draw(state: Parameters<typeof header.update>[0]): void {
  show();
  for (const view of views) view.update(state);
}
