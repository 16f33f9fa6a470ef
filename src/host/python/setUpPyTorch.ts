/** @file "Set Up PyTorch...": says what would be installed, where and how much, asks, and installs with progress and cancel. */
import * as vscode from 'vscode';
import { formatBytes } from '../../shared/formatBytes.ts';
import type { InstallPlan, InstallProgress } from '../../shared/pythonProtocol.ts';
import { isPythonReady, type PythonReport } from '../../shared/pythonReport.ts';
import type { Services } from '../services.ts';
import { readSettings } from '../settings.ts';
import { requireTrust } from '../trust.ts';
import { describePython } from './summarizePython.ts';

type Needed = Pick<Services, 'python' | 'log'>;

/** Whether PyTorch can be used now. @throws TuneError as the Python process refused it */
export async function setUpPyTorch({ python, log }: Needed): Promise<boolean> {
  requireTrust();
  const { report } = await python.readStatus(true);
  if (readSettings().pythonPath !== '') return await showOwnPython(report);
  if (report !== null && isPythonReady(report)) return await showReady(report, python);
  const plan = await python.plan();
  const install = vscode.l10n.t('Install');
  const title = vscode.l10n.t('Set up PyTorch for Tuning Fork?');
  const answer = await vscode.window.showInformationMessage(
    title,
    { modal: true, detail: describePlan(plan) },
    install,
  );
  if (answer !== install) return false;
  const made = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Setting up PyTorch'), cancellable: true },
    async (notification, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      const show = (progress: InstallProgress) => notification.report({ message: describeProgress(progress) });
      const listening = python.onDidProgress(show);
      try {
        return await python.install(controller.signal);
      } catch (error) {
        if (!controller.signal.aborted) throw error;
        return undefined;
      } finally {
        listening.dispose();
      }
    },
  );
  if (made === undefined) {
    log.info('python: installation stopped; it goes on with "Set Up PyTorch..."');
    return false;
  }
  void vscode.window.showInformationMessage(vscode.l10n.t('PyTorch is ready: {0}.', describePython(made)));
  return true;
}

/** What the modal says below its question. */
export function describePlan(plan: InstallPlan): string {
  const { buildLabel, reason, folder, installer, python, packages, torchIndex, packageIndex } = plan;
  const from = packageIndex ?? vscode.l10n.t('the Python package index');
  return [
    vscode.l10n.t('PyTorch for {0}. {1}', buildLabel, reason),
    vscode.l10n.t(
      'About {0} is fetched and {1} of disk is used; {2} is free.',
      formatBytes(plan.downloadBytes),
      formatBytes(plan.installedBytes),
      formatBytes(plan.freeBytes),
    ),
    vscode.l10n.t('Place: {0}. Nothing else on this machine is changed.', folder),
    vscode.l10n.t('With {0} ({1}): {2}, and what they need.', installer, python, packages.join(', ')),
    vscode.l10n.t('From {0}; torch from {1}.', from, torchIndex ?? from),
    ...(plan.presentBytes > 0 ? [vscode.l10n.t('An interrupted installation goes on.')] : []),
  ].join('\n\n');
}

export function describeProgress({ phase, done, total, detail }: InstallProgress): string {
  const count = done > 0 ? ` (${Math.min(done, total)}/${total})` : '';
  return detail === '' ? `${phase}${count}` : `${phase}${count}: ${detail.slice(0, 80)}`;
}

/** A Python of the user's is looked at and left as it is. */
async function showOwnPython(report: PythonReport | null): Promise<boolean> {
  const settings = vscode.l10n.t('Open Settings');
  const isReady = report !== null && isPythonReady(report);
  const problems = (report?.problems ?? []).map(({ message, fix }) => `${message}. ${fix}`).join('\n');
  const text = isReady
    ? vscode.l10n.t('The Python of the setting "tuningFork.pythonPath" is ready: {0}.', describePython(report))
    : vscode.l10n.t('The Python of the setting "tuningFork.pythonPath" is not ready:\n{0}', problems);
  const show = isReady ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
  if ((await show(text, settings)) === settings) {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'tuningFork.pythonPath');
  }
  return isReady;
}

async function showReady(report: PythonReport, python: Services['python']): Promise<boolean> {
  const remove = vscode.l10n.t('Remove...');
  const text = vscode.l10n.t('PyTorch is ready: {0}.', describePython(report));
  if ((await vscode.window.showInformationMessage(text, remove)) !== remove) return true;
  const question = vscode.l10n.t('Delete the Python environment of Tuning Fork?');
  const erase = vscode.l10n.t('Delete');
  const detail = vscode.l10n.t('Runs with the PyTorch engine cannot be started or resumed until it is set up again.');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, erase)) !== erase) return true;
  await python.remove();
  return false;
}
