/** @file A folder on disk -> shown where the user can get at it, also in a window whose files lie on another machine. */
import * as vscode from 'vscode';

export async function revealFolder(path: string): Promise<void> {
  const uri = vscode.Uri.file(path);
  const isHere = vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop;
  if (isHere) await vscode.commands.executeCommand('revealFileInOS', uri);
  else if (vscode.workspace.getWorkspaceFolder(uri)) await vscode.commands.executeCommand('revealInExplorer', uri);
  else await offerPath(path);
}

/** Outside the workspace of a remote window nothing can show a folder, but its path can be used in a terminal. */
async function offerPath(path: string): Promise<void> {
  const copy = vscode.l10n.t('Copy Path');
  if ((await vscode.window.showInformationMessage(path, copy)) === copy) await vscode.env.clipboard.writeText(path);
}
