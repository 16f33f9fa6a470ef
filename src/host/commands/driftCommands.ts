/** @file "Compare New Rows With Last Run...": what a dataset got since, in a notification that offers to train on it. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { chooseMode, findLastTuned, tellDrift } from '../augment/driftNotices.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { askForDataset } from './datasetCommands.ts';

export async function compareWithLastRun(services: Services, argument: unknown): Promise<void> {
  requireTrust();
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  const dataset = uri?.scheme === 'file' ? uri.fsPath : await askForDataset();
  if (dataset === undefined) return;
  const name = basename(dataset);
  const run = findLastTuned(services, dataset);
  const setMode = vscode.l10n.t('When It Grows...');
  if (run === undefined) {
    void vscode.window.showInformationMessage(vscode.l10n.t('{0}: no finished run was trained on it.', name));
    return;
  }
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Comparing {0} with {1}', name, run.name),
    cancellable: true,
  };
  const report = await vscode.window.withProgress(options, async (_, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    try {
      return await services.augment.call('drift/measure', { dataset, run: run.path }, controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    }
  });
  if (report === undefined) return;
  if (report !== null) return await tellDrift(services, run, dataset, report);
  const text = vscode.l10n.t('{0}: no row is new since {1}.', name, run.name);
  if ((await vscode.window.showInformationMessage(text, setMode)) === setMode) await chooseMode(services, dataset);
}
