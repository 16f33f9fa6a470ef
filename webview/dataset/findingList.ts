/** @file What is wrong with rows: each finding with its line, which opens in the editor, and what mends it. */
import type { CheckReport } from '../../src/shared/datasetChecks.ts';
import type { DatasetInspection } from '../../src/shared/datasetProtocol.ts';
import type { DatasetState } from '../../src/shared/pages.ts';
import { createRebuilder, h, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';

const shownOfEach = 8;

const checkLabels: Readonly<Record<CheckReport['checks'][number]['check'], string>> = {
  duplicate: 'Equal rows',
  nearDuplicate: 'Nearly equal rows',
  conflictingAnswers: 'One question, several answers',
  answerEqualsQuestion: 'Answer repeats the question',
  roleOrder: 'Roles out of turn',
  html: 'HTML',
  mojibake: 'Wrong encoding',
  lostCharacters: 'Lost characters',
  personalData: 'Personal data',
  language: 'Other languages',
  overContext: 'Longer than the context',
  leak: 'Held out elsewhere',
};

export interface FindingEvents {
  onOpen: (file: string, line: number) => void;
}

type Shown = Pick<DatasetState, 'checks'> & {
  readonly inspection: Pick<DatasetInspection, 'problems' | 'problemCount'> | null;
};

export function createFindingList({ onOpen }: FindingEvents): View<DatasetState> {
  const place = h('div', { class: 'finding-groups' });
  const rebuild = createRebuilder<Shown>(place, ({ inspection, checks }) => [
    drawProblems(inspection),
    ...(checks?.checks ?? []).map(({ check, count, step, findings }) =>
      drawGroup(
        checkLabels[check],
        count,
        `Mended by the cleaning step ${step}`,
        findings.map(({ file, line, message }) => ({ file, line, text: message })),
      ),
    ),
    describeNone(inspection, checks),
  ]);
  return {
    element: h('section', {}, h('h2', {}, 'Findings'), place),
    update: ({ inspection, checks }) =>
      rebuild({
        inspection: inspection && { problems: inspection.problems, problemCount: inspection.problemCount },
        checks,
      }),
  };

  function drawProblems(inspection: Shown['inspection']): HTMLElement | null {
    if (inspection === null || inspection.problemCount === 0) return null;
    const items = inspection.problems.map(({ file, line, message, fix }) => ({
      file,
      line,
      text: `${message} ${fix}`,
    }));
    return drawGroup('Rows that cannot be read as they are', inspection.problemCount, '', items);
  }

  function drawGroup(
    label: string,
    count: number,
    mend: string,
    items: readonly { file: string; line: number | null; text: string }[],
  ): HTMLElement {
    const shown = items.slice(0, shownOfEach);
    return h(
      'details',
      { class: 'finding-group' },
      h(
        'summary',
        {},
        h('span', {}, label),
        h('span', { class: 'figures finding-count' }, formatCount(count)),
        h('span', { class: 'muted' }, mend),
      ),
      h('ul', {}, ...shown.map(drawItem)),
      count > shown.length ? h('p', { class: 'muted' }, `and ${formatCount(count - shown.length)} more`) : null,
    );
  }

  function drawItem({ file, line, text }: { file: string; line: number | null; text: string }): HTMLElement {
    const short = text.startsWith(`${file}:${line}: `) ? text.slice(`${file}:${line}: `.length) : text;
    if (line === null) return h('li', {}, short);
    const open = h('button', { class: 'link', onClick: () => onOpen(file, line) }, `line ${line}`);
    return h('li', {}, open, ' ', short);
  }
}

function describeNone(inspection: Shown['inspection'], checks: Shown['checks']): HTMLElement | null {
  if (checks === null) {
    return h(
      'p',
      { class: 'muted' },
      inspection === null ? '' : 'Check looks at every row: duplicates, conflicts, personal data and more.',
    );
  }
  if (checks.checks.length > 0) return null;
  return h('p', { class: 'muted' }, `Nothing was found in ${formatCount(checks.rows)} rows.`);
}
