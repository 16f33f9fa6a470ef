/** @file "Judge Adapter...": asks whom to judge, on which rows and as what task, starts the evaluation and shows it. */
import * as vscode from 'vscode';
import type { TaskName } from '../../shared/evaluation.ts';
import { taskNames } from '../../shared/evaluation.ts';
import { taskPresets } from '../../shared/taskPresets.ts';
import { baseOf, modelToOpen } from '../compare/comparePanels.ts';
import { type EvaluationChoice, type JudgedAdapter, planEvaluation } from '../evaluation/planEvaluation.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { startRun } from '../startRun.ts';
import { requireTrust } from '../trust.ts';
import { resolveRun } from './pickRun.ts';

const rowSteps = [25, 100, 400] as const;

export async function judgeAdapter(services: Services, argument: unknown): Promise<void> {
  const run = await resolveRun(services.stores, argument, candidate => candidate.output !== undefined);
  if (run?.record === undefined || run.output === undefined) return;
  requireTrust();
  const who = await askCandidates(services, run);
  if (who === undefined) return;
  const rows = await askRows(run);
  if (rows === undefined) return;
  const task = await askTask();
  if (task === undefined) return;
  const glossaryFields = await askGlossary();
  if (glossaryFields === undefined) return;
  const model = modelToOpen(run.record.model);
  const request = planEvaluation({ run: toJudged(run), model, ...who, ...rows, task, glossaryFields });
  const accepted = await startRun(services, request);
  await services.stores.refresh();
  const evaluation = services.stores.findRun(accepted.path);
  if (evaluation !== undefined) services.runPanels.open(evaluation);
}

type Who = Pick<EvaluationChoice, 'hasBase' | 'hasPrompt' | 'adapters'>;

async function askCandidates({ stores }: Services, run: RunReader): Promise<Who | undefined> {
  const others = stores
    .listRuns()
    .filter(
      other =>
        other !== run && other.record !== undefined && other.output !== undefined && baseOf(other) === baseOf(run),
    );
  const items = [
    { label: vscode.l10n.t('Base model'), kindOfItem: 'base' as const, picked: true },
    {
      label: vscode.l10n.t('Base with its best prompt'),
      description: vscode.l10n.t('chosen on training rows'),
      kindOfItem: 'prompted' as const,
      picked: true,
    },
    ...[run, ...others].map(each => ({
      label: each.name,
      description: each.id,
      kindOfItem: 'adapter' as const,
      run: each,
      picked: each === run,
    })),
  ];
  const chosen = await vscode.window.showQuickPick<(typeof items)[number]>(items, {
    title: vscode.l10n.t('Judge Adapter: who answers?'),
    canPickMany: true,
    matchOnDescription: true,
  });
  if (chosen === undefined || chosen.length === 0) return undefined;
  const has = (kind: string) => chosen.some(({ kindOfItem }) => kindOfItem === kind);
  const adapters = chosen.flatMap(item => ('run' in item && item.run !== undefined ? [toJudged(item.run)] : []));
  return { hasBase: has('base'), hasPrompt: has('prompted'), adapters };
}

async function askRows({ record }: RunReader): Promise<Pick<EvaluationChoice, 'split' | 'maxRows'> | undefined> {
  const splits = (record?.hyperparameters.testRatio ?? 0) > 0 ? (['test', 'heldOut'] as const) : (['heldOut'] as const);
  const items = splits.flatMap(split => {
    const label = split === 'test' ? vscode.l10n.t('test rows') : vscode.l10n.t('held-out rows');
    return [
      { label: vscode.l10n.t('All {0}', label), split, maxRows: null as number | null },
      ...rowSteps.map(count => ({
        label: vscode.l10n.t('{0} of the {1}', count, label),
        split,
        maxRows: count as number | null,
      })),
    ];
  });
  const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Judge Adapter: on which rows?') });
  return chosen && { split: chosen.split, maxRows: chosen.maxRows };
}

/** Null: whatever applies is measured. */
async function askTask(): Promise<TaskName | null | undefined> {
  const items = [
    {
      label: vscode.l10n.t('Any task'),
      detail: vscode.l10n.t('Everything that applies is measured.'),
      task: null as TaskName | null,
    },
    ...taskNames.map(task => ({
      label: taskPresets[task].label,
      detail: taskPresets[task].help,
      task: task as TaskName | null,
    })),
  ];
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Judge Adapter: what kind of task?') }))
    ?.task;
}

async function askGlossary(): Promise<string[] | undefined> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Judge Adapter: glossary'),
    prompt: vscode.l10n.t(
      'Fields of the dataset whose values are terms that answers have to get right, with commas; empty for none.',
    ),
    placeHolder: 'focus',
  });
  return text
    ?.split(',')
    .map(field => field.trim())
    .filter(field => field !== '');
}

const toJudged = ({ path, id, name }: RunReader): JudgedAdapter => ({ path, id, name });
