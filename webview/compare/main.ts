/** @file The compare panel: one prompt, three answers side by side, and the best prompt the base was given. */
import '../seam/disableEval.ts';
import '../style/base.css';
import './compare.css';
import { compareStateSchema } from '../../src/shared/pageSnapshots.ts';
import type { CompareState } from '../../src/shared/pages.ts';
import { createErrorNotice } from '../controls/notice.ts';
import { h } from '../dom/element.ts';
import { mountPage } from '../dom/mountPage.ts';
import { connectHost } from '../seam/host.ts';
import { createAnswerColumns } from './answerColumns.ts';
import { createCompareHeader } from './compareHeader.ts';
import { createPromptBox } from './promptBox.ts';
import { createPromptEditor } from './promptEditor.ts';

const host = connectHost('compare/state', compareStateSchema, draw);

const header = createCompareHeader(run => host.send({ type: 'compare/adapter', run }));
const error = createErrorNotice();
const editor = createPromptEditor({
  onEdit: ({ system, examples }) => host.send({ type: 'compare/editPrompt', system, examples }),
  onSearch: () => host.send({ type: 'compare/searchPrompt' }),
});
const box = createPromptBox({
  onPrompt: prompt => host.send({ type: 'compare/prompt', prompt }),
  onSettings: settings => host.send({ type: 'compare/settings', ...settings }),
  onHeldOut: index => host.send({ type: 'compare/heldOut', index }),
  onRun: () => {
    editor.flush();
    host.send({ type: 'compare/run' });
  },
  onCancel: () => host.send({ type: 'compare/cancel' }),
});
const answers = createAnswerColumns();

const show = mountPage(
  h('main', { class: 'compare' }, header.element, error.element, box.element, answers.element, editor.element),
);

function draw(state: CompareState): void {
  show();
  error.update(state.error);
  for (const part of [header, box, answers, editor]) part.update(state);
}
