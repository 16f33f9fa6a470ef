/** @file Commands that look at a dataset's rows and clean them into a new file. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import {
  type CleaningRecipe,
  type CleaningStepName,
  cleaningRecipeSchema,
  cleaningStepHelp,
  cleaningStepNames,
  usualCleaning,
} from '../../shared/cleaning.ts';
import type { CheckReport } from '../../shared/datasetChecks.ts';
import { hasDatasetName } from '../../shared/datasetFormats.ts';
import { TuneError } from '../../shared/errors.ts';
import { writeCleaningPage } from '../dataset/cleaningPage.ts';
import { openDatasetPanel } from '../panels/datasetPanel.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { askForDataset } from './datasetCommands.ts';

/** From a context menu: the resource; else the active editor's file or one that is chosen. */
export async function checkDataset(services: Services, argument: unknown): Promise<void> {
  const path = await pickPath(argument);
  if (path === undefined) return;
  const report = await check(services, path);
  if (report === undefined) return;
  services.findings.show(path, report);
  const count = report.checks.reduce((sum, found) => sum + found.count, 0);
  if (count === 0) {
    const text = vscode.l10n.t('{0}: nothing was found in {1} rows.', basename(path), report.rows);
    return void vscode.window.showInformationMessage(text);
  }
  const [show, clean] = [vscode.l10n.t('Show Problems'), vscode.l10n.t('Clean...')];
  const kinds = report.checks.map(found => `${found.check} ${found.count}`).join(', ');
  const text = vscode.l10n.t('{0}: {1} findings in {2} rows ({3}).', basename(path), count, report.rows, kinds);
  const chosen = await vscode.window.showInformationMessage(text, show, clean);
  if (chosen === show) await vscode.commands.executeCommand('workbench.actions.view.problems');
  if (chosen === clean) await chooseAndClean(services, path, report);
}

/** What is in a dataset, what is wrong with it, and the queue in which its rows are reviewed. */
export async function openDataset(services: Services, argument: unknown): Promise<void> {
  const path = await pickPath(argument);
  if (path !== undefined) openDatasetPanel(services, path);
}

export async function cleanDataset(services: Services, argument: unknown): Promise<void> {
  const path = await pickPath(argument);
  if (path !== undefined) await chooseAndClean(services, path, undefined);
}

/** Steps are chosen, what they do is shown, and only then a new file is written. */
async function chooseAndClean(services: Services, path: string, report: CheckReport | undefined): Promise<void> {
  const recipe = await chooseSteps(report);
  if (recipe === undefined) return;
  const name = basename(path);
  const preview = await withProgress(vscode.l10n.t('Cleaning {0}', name), signal =>
    services.dataset.call('dataset/clean', { path, mapping: null, recipe, out: null }, signal),
  );
  if (preview === undefined) return;
  const write = () => writeCleaned(services, path, recipe);
  await services.previews.show(name, writeCleaningPage(name, preview), write);
  const label = vscode.l10n.t('Write New File...');
  const text = vscode.l10n.t('{0}: {1} of {2} rows are left.', name, preview.rowsAfter, preview.rowsBefore);
  if ((await vscode.window.showInformationMessage(text, label)) === label) await write();
}

/** Asks where to, writes the new file with its report beside it, and offers to train on it. */
async function writeCleaned(services: Services, path: string, recipe: CleaningRecipe): Promise<void> {
  requireTrust();
  const name = basename(path);
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(`${path.replace(/(?:\.[a-z0-9]+)?(?:\.gz)?$/i, '')}.clean.jsonl`),
    filters: { [vscode.l10n.t('JSON Lines')]: ['jsonl'] },
    saveLabel: vscode.l10n.t('Write'),
  });
  if (target === undefined) return;
  if (target.scheme !== 'file')
    throw new TuneError('usage', `${target}: expected a file on disk, got ${target.scheme}`);
  const result = await withProgress(vscode.l10n.t('Cleaning {0}', name), signal =>
    services.dataset.call('dataset/clean', { path, mapping: null, recipe, out: target.fsPath }, signal),
  );
  if (result?.written == null) return;
  services.previews.withdraw(name);
  await vscode.window.showTextDocument(target);
  const fineTune = vscode.l10n.t('Fine-tune...');
  const [file, report] = [basename(result.written.path), basename(result.written.report)];
  const text = vscode.l10n.t('{0}: {1} rows written; {2} makes them again.', file, result.rowsAfter, report);
  if ((await vscode.window.showInformationMessage(text, fineTune)) === fineTune) {
    await vscode.commands.executeCommand('tuningFork.fineTune', target);
  }
}

/** Steps that need nothing but the rows; those that mend what was found, or the usual ones, are chosen already. */
async function chooseSteps(report: CheckReport | undefined): Promise<CleaningRecipe | undefined> {
  const needing: readonly CleaningStepName[] = ['dropLeaked', 'dropOverContext'];
  const usual = report?.checks.map(({ step }) => step) ?? usualCleaning.steps.map(({ step }) => step);
  const counts = new Map(report?.checks.map(({ step, count }) => [step, count]));
  const items = cleaningStepNames
    .filter(step => !needing.includes(step))
    .map(step => ({
      label: step,
      description: counts.has(step) ? vscode.l10n.t('{0} rows', counts.get(step)!) : '',
      detail: cleaningStepHelp[step],
      picked: usual.includes(step),
    }));
  const chosen = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    matchOnDetail: true,
    title: vscode.l10n.t('Cleaning steps, in this order'),
    placeHolder: vscode.l10n.t('Nothing is written before you have seen what they do'),
  });
  if (chosen === undefined || chosen.length === 0) return undefined;
  return cleaningRecipeSchema.parse({ steps: chosen.map(({ label }) => ({ step: label })) });
}

function check(services: Services, path: string): Promise<CheckReport | undefined> {
  return withProgress(vscode.l10n.t('Checking {0}', basename(path)), signal =>
    services.dataset.call('dataset/check', { path, mapping: null }, signal),
  );
}

/** Undefined when it was cancelled. */
async function withProgress<T>(title: string, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (_, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    try {
      return await work(controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    }
  });
}

async function pickPath(argument: unknown): Promise<string | undefined> {
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  const isGiven = argument instanceof vscode.Uri;
  if (uri?.scheme !== 'file' || !(isGiven || hasDatasetName(uri.path))) return await askForDataset();
  const document = vscode.workspace.textDocuments.find(open => open.uri.toString() === uri.toString());
  if (document?.isDirty === true) await document.save();
  return uri.fsPath;
}
