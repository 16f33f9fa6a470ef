/** @file Restricted Mode: reading and checking works, everything that starts a run or generates text needs trust. */
import * as vscode from 'vscode';
import { TuneError } from '../shared/errors.ts';

/** @throws TuneError `untrusted-workspace` in Restricted Mode */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new TuneError(
    'untrusted-workspace',
    vscode.l10n.t('Restricted Mode: expected a trusted workspace, got one that is not trusted.'),
    {
      hint: vscode.l10n.t('Trust the workspace to train and to generate; reading and checking datasets works without.'),
    },
  );
}

export async function openTrust(): Promise<void> {
  await vscode.commands.executeCommand('workbench.trust.manage');
}
