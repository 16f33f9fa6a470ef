/** @file "Choose model...": what was found, a file or folder elsewhere, or a Hub id typed in. */
import { extname } from 'node:path';
import * as vscode from 'vscode';
import type { ModelChoice } from '../../shared/pages.ts';

type Item = vscode.QuickPickItem & { pick(): Promise<string | undefined> };

const hubIdPattern = /^[\w.-]+\/[\w.-]+$/;

/** The id of a model, as the trainer takes it. */
export async function chooseModel(models: readonly ModelChoice[]): Promise<string | undefined> {
  const items: Item[] = [
    ...models.map(({ id, label, detail }) => ({ label, detail, pick: async () => id })),
    { label: '', kind: vscode.QuickPickItemKind.Separator, pick: async () => undefined },
    { label: `$(file) ${vscode.l10n.t('GGUF file...')}`, pick: askForFile },
    { label: `$(folder) ${vscode.l10n.t('Hugging Face folder...')}`, pick: askForFolder },
    { label: `$(cloud-download) ${vscode.l10n.t('Hugging Face Hub id...')}`, pick: askForHubId },
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Base model'),
    matchOnDetail: true,
  });
  return await chosen?.pick();
}

async function askForFile(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({ filters: { GGUF: ['gguf'] } });
  const path = chosen?.[0]?.fsPath;
  return path !== undefined && extname(path).toLowerCase() === '.gguf' ? path : undefined;
}

async function askForFolder(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true });
  return chosen?.[0]?.fsPath;
}

async function askForHubId(): Promise<string | undefined> {
  const id = await vscode.window.showInputBox({
    title: vscode.l10n.t('Hugging Face Hub id'),
    placeHolder: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    prompt: vscode.l10n.t('Downloaded when the run starts.'),
    ignoreFocusOut: true,
    validateInput: text => (hubIdPattern.test(text.trim()) ? undefined : vscode.l10n.t('Expected owner/name.')),
  });
  return id?.trim();
}
