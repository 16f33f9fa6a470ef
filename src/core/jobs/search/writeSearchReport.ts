/** @file What a search tried and why it chose -> report.md: words and tables for people, nothing that is not in its other files. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '../../../shared/formatDuration.ts';
import { labelSearched, type SearchRecord } from '../../../shared/searchRecord.ts';
import { type ShownTrial, type StudySnapshot, searchNames } from '../../../shared/studySnapshot.ts';
import { toWriteError } from '../../formats/stagedFile.ts';

/** Gives the path. @throws TuneError `disk-full` | `not-writable` */
export function writeSearchReport(
  run: string,
  record: SearchRecord,
  study: StudySnapshot,
  more: readonly string[] = [],
): string {
  const path = join(run, searchNames.report);
  try {
    writeFileSync(path, `${describeSearch(record, study, more).join('\n')}\n`);
  } catch (error) {
    throw toWriteError(error, path);
  }
  return path;
}

export function describeSearch(record: SearchRecord, study: StudySnapshot, more: readonly string[]): string[] {
  const { settings, base, model, datasets } = record;
  const names = settings.space.map(({ name }) => name);
  const metric =
    settings.metric === 'heldOutLoss' ? 'held-out loss (nats, lower is better)' : 'token F1 (higher is better)';
  const counts = (state: ShownTrial['state']) => study.trials.filter(trial => trial.state === state).length;
  return [
    `# Search: ${inCell(base.name)}`,
    '',
    `Model ${inCell(model.id)}; data ${datasets.map(({ path }) => inCell(path)).join(', ')}.`,
    '',
    `${study.trials.length} trials in ${formatDuration(study.elapsedMs)}: ${counts('complete')} complete, ${counts('pruned')} ended early because others did better at the same point, ${counts('failed')} failed. Judged by ${metric}; sampler ${settings.sampler}, pruner ${settings.pruner}, seed ${settings.seed}.`,
    '',
    ...describeWinner(record, study),
    ...more,
    '## What was tried',
    '',
    ...table(
      ['Trial', 'State', settings.metric === 'heldOutLoss' ? 'Held-out loss' : 'Token F1', ...names.map(labelSearched)],
      rank(study).map(trial => [
        `${trial.number}${trial.number === study.winner?.trial ? ' (chosen)' : ''}`,
        trial.state === 'pruned' ? 'ended early' : trial.state,
        trial.value === null ? describeCurve(trial) : trial.value.toFixed(4),
        ...names.map(name => trial.settings[name] ?? ''),
      ]),
    ),
    '',
    '## What mattered',
    '',
    ...(study.importance.length === 0
      ? ['Too few trials are complete to say which setting decided.']
      : [
          'How much each setting decided whether a trial was among the best quarter (PED-ANOVA); of few trials a hint, no proof.',
          '',
          ...table(
            ['Setting', 'Share'],
            study.importance.map(({ name, share }) => [labelSearched(name), `${(100 * share).toFixed(0)} %`]),
          ),
        ]),
  ];
}

export function describeDecisions({ minutes, decisions }: NonNullable<SearchRecord['automatic']>): string[] {
  return ['## How it was decided', '', `Time given: ${minutes} min.`, '', ...decisions.map(text => `- ${text}`), ''];
}

function describeWinner(record: SearchRecord, { trials, winner }: StudySnapshot): string[] {
  if (winner === null) return [];
  const chosen = trials.find(({ number }) => number === winner.trial);
  const settings = Object.entries(chosen?.settings ?? {}).map(([name, text]) => `${labelSearched(name)} ${text}`);
  const value = chosen?.value == null ? '' : `, with ${chosen.value.toFixed(4)} on the held-out rows`;
  const first = trials.find(({ number }) => number === 0);
  const gain =
    first?.value == null || chosen?.value == null || winner.trial === 0
      ? []
      : [`The settings the search began with came to ${first.value.toFixed(4)}.`];
  const isBetter =
    winner.testLossNats !== null && winner.baseTestLossNats !== null && winner.testLossNats < winner.baseTestLossNats;
  const judged =
    winner.testLossNats === null || winner.baseTestLossNats === null
      ? 'No rows were kept aside to judge it on.'
      : `On ${winner.testRows} test rows that no trial saw its loss is ${winner.testLossNats.toFixed(4)} nats, where the base model has ${winner.baseTestLossNats.toFixed(4)}${isBetter ? '' : ': it is no better than the base model, so more or other data is needed'}.`;
  return [
    '## What was chosen',
    '',
    `Trial ${winner.trial}${value}: ${settings.join(', ')}. ${gain.join(' ')}`.trim(),
    '',
    winner.retrained
      ? `It was trained anew on training and held-out rows together (run ${winner.run}).`
      : `Its adapter is that of the run ${winner.run}.`,
    '',
    judged,
    '',
    ...(record.settings.metric === 'heldOutLoss'
      ? []
      : ['Losses here are of the answers; the search itself went by token F1.', '']),
  ];
}

/** Complete trials by value, then the others as they came. */
function rank({ trials, direction }: StudySnapshot): ShownTrial[] {
  const sign = direction === 'minimize' ? 1 : -1;
  const key = ({ state, value }: ShownTrial) => (state === 'complete' && value !== null ? sign * value : Infinity);
  return [...trials].sort((a, b) => (key(a) === key(b) ? a.number - b.number : key(a) - key(b)));
}

function describeCurve({ curve }: ShownTrial): string {
  const last = curve.at(-1);
  return last === undefined ? '' : `${last[1].toFixed(4)} at ${last[0]} %`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(inCell).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)];
}

const inCell = (text: string): string => text.replaceAll(/[|\r\n]/g, ' ');
