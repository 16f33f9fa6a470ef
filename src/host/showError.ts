/** @file Anything thrown -> a notification with what to do next. */
import * as vscode from 'vscode';
import { toWireError } from '../shared/errors.ts';
import { openTrust } from './trust.ts';

export async function showError(log: vscode.LogOutputChannel, error: unknown): Promise<void> {
  const wire = toWireError(error);
  log.error(error instanceof Error && wire.code === 'internal' ? (error.stack ?? wire.message) : wire.message);
  const text = wire.hint === undefined ? wire.message : `${wire.message} ${wire.hint}`;
  if (wire.code === 'untrusted-workspace') {
    const manage = vscode.l10n.t('Manage Workspace Trust');
    if ((await vscode.window.showWarningMessage(text, manage)) === manage) await openTrust();
    return;
  }
  if (wire.code === 'python-missing') {
    const setUp = vscode.l10n.t('Set Up PyTorch...');
    if ((await vscode.window.showErrorMessage(text, setUp)) === setUp) {
      await vscode.commands.executeCommand('tuningFork.setUpPyTorch');
    }
    return;
  }
  const showLog = vscode.l10n.t('Show Output');
  if ((await vscode.window.showErrorMessage(text, showLog)) === showLog) log.show(true);
}
