/** @file The chosen dataset: what was read, how it was understood and what is wrong with it. */
import type { DatasetInspection, DatasetProblem } from '../../src/shared/datasetProtocol.ts';
import { formatBytes } from '../../src/shared/formatBytes.ts';
import type { FormState } from '../../src/shared/pages.ts';
import type { Mapping } from '../../src/shared/recipe.ts';
import { createButton, createProgressRing } from '../controls/toolkit.ts';
import { createRebuilder, h, setCutText, setShown, setText, type View } from '../dom/element.ts';
import { drawIcon } from '../dom/icon.ts';
import { formatCount, formatCounted } from '../format/formatNumber.ts';
import { createMappingEditor, mappingLabels } from './mappingEditor.ts';

export interface DatasetEvents {
  onChoose: () => void;
  onMapping: (mapping: Mapping | null) => void;
  onOpenLine: (line: number) => void;
}

type Shown = Pick<FormState, 'dataset' | 'inspection' | 'inspecting' | 'problems'>;

export function createDatasetCard(events: DatasetEvents): View<Shown> {
  const name = h('p', { class: 'dataset-name cut' });
  const change = createButton({ label: 'Change…', onClick: events.onChoose });
  const ring = createProgressRing();
  const status = h('p', { class: 'muted', role: 'status' });
  const facts = h('div', { class: 'dataset-facts' });
  const problems = h('div', { class: 'dataset-problems' });
  const rebuildFacts = createRebuilder<DatasetInspection | null>(facts, inspection =>
    inspection === null ? [] : describeInspection(inspection),
  );
  const rebuildProblems = createRebuilder<DatasetInspection | null>(problems, inspection =>
    inspection === null ? [] : describeProblems(inspection, events.onOpenLine),
  );
  const mapping = createMappingEditor(events.onMapping);
  const heading = h('div', { class: 'heading-line' }, h('h2', {}, 'Dataset'), change.element);
  const card = h(
    'div',
    { class: 'card' },
    name,
    h('div', { class: 'busy-line' }, ring, status),
    facts,
    mapping.element,
    problems,
  );
  const empty = h(
    'div',
    { class: 'empty' },
    h(
      'p',
      {},
      'Right-click a dataset (.jsonl, .json, .csv, .tsv, .parquet, .txt, .md) or a folder in the Explorer and choose “Fine-tune with this dataset…”.',
    ),
    createButton({ label: 'Choose dataset…', onClick: events.onChoose }).element,
  );
  const element = h('section', { class: 'group', aria: { label: 'Dataset' } }, heading, empty, card);

  return {
    element,
    update(state) {
      const { dataset, inspection } = state;
      setShown(empty, dataset === null);
      setShown(card, dataset !== null);
      setShown(change.element, dataset !== null);
      if (dataset === null) return;
      setCutText(name, dataset.name);
      name.title = dataset.path;
      const problem = state.problems.find(one => one.name === 'dataset')?.message;
      setShown(ring, state.inspecting);
      setShown(status.parentElement!, state.inspecting || (inspection === null && problem !== undefined));
      setText(status, state.inspecting ? 'Reading and checking…' : (problem ?? ''));
      card.classList.toggle('is-stale', state.inspecting);
      rebuildFacts(inspection);
      rebuildProblems(inspection);
      setShown(mapping.element, inspection !== null);
      if (inspection !== null) mapping.update(inspection);
    },
  };
}

function describeInspection(inspection: DatasetInspection): HTMLElement[] {
  const { tokens } = inspection;
  const rows =
    inspection.usableRows === inspection.rows
      ? formatCounted(inspection.rows, 'row')
      : `${formatCount(inspection.usableRows)} of ${formatCounted(inspection.rows, 'row')} usable`;
  const fields = Object.entries(inspection.mapping.fields)
    .map(([slot, field]) => (slot === field ? slot : `${slot} = ${field}`))
    .join(', ');
  return [
    h('p', { class: 'figures' }, `${rows} · ${describeFormat(inspection)} · ${formatBytes(inspection.fileBytes)}`),
    ...(tokens === null
      ? []
      : [
          h(
            'p',
            { class: 'figures' },
            `${formatCounted(tokens.total, 'token')}, ${formatCount(tokens.supervised)} trained on; longest row ${formatCount(tokens.longestRow)}`,
          ),
        ]),
    ...(tokens !== null && tokens.rowsOverContext > 0
      ? [drawWarning(`${formatCounted(tokens.rowsOverContext, 'row')} longer than the context`)]
      : []),
    h('p', {}, `Read as ${mappingLabels[inspection.mapping.kind].toLowerCase()} (${fields})`),
    h('p', { class: 'muted' }, inspection.mappingChosen ? 'You chose this mapping.' : inspection.mappingReason),
  ];
}

function drawWarning(text: string): HTMLElement {
  return h('p', { class: 'warning-line' }, drawIcon('warning'), h('span', {}, text));
}

function describeProblems(inspection: DatasetInspection, openLine: (line: number) => void): HTMLElement[] {
  if (inspection.problemCount === 0) return [];
  const rest = inspection.problemCount - inspection.problems.length;
  return [
    drawWarning(formatCounted(inspection.problemCount, 'problem')),
    h(
      'ul',
      { class: 'problem-list' },
      ...inspection.problems.map(problem => h('li', {}, ...describeProblem(problem, openLine))),
    ),
    ...(rest > 0 ? [h('p', { class: 'muted' }, `and ${formatCount(rest)} more`)] : []),
  ];
}

function describeProblem(problem: DatasetProblem, openLine: (line: number) => void): HTMLElement[] {
  const { line } = problem;
  const text = withoutPlace(problem);
  const message =
    line === null
      ? h('span', {}, text)
      : h(
          'button',
          { class: 'link', onClick: () => openLine(line), aria: { label: `Open line ${line}: ${text}` } },
          h('span', { class: 'figures' }, `Line ${formatCount(line)}:`),
          ` ${text}`,
        );
  return [message, h('span', { class: 'muted' }, problem.fix)];
}

/** The message without `file:line:` in front: both are shown already. */
function withoutPlace({ file, line, message }: DatasetProblem): string {
  const place = line === null ? `${file}: ` : `${file}:${line}: `;
  return message.startsWith(place) ? message.slice(place.length) : message;
}

/** `JSONL`, `CSV in GB18030`, `3 files of Parquet`. What is usual is not said. */
function describeFormat({ format, encoding, fileCount }: DatasetInspection): string {
  const name = { text: 'Text', markdown: 'Markdown', parquet: 'Parquet' }[format as string] ?? format.toUpperCase();
  const files = fileCount === 1 ? name : `${fileCount} files of ${name}`;
  return /^(?:UTF-8|binary)$/.test(encoding) ? files : `${files} in ${encoding.replace('binary, ', '')}`;
}
