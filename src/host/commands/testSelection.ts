/** @file The text selected in an editor -> an adapter's answer to it. */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { listTuned } from '../views/adaptersView.ts';
import { pickRun, resolveRun } from './pickRun.ts';

/** The selection, or the line of the cursor when nothing is selected. */
export async function testSelection({ stores, comparePanels }: Services): Promise<void> {
  requireTrust();
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return;
  const range = editor.selection.isEmpty
    ? editor.document.lineAt(editor.selection.active.line).range
    : editor.selection;
  const prompt = editor.document.getText(range).trim();
  if (prompt === '') {
    void vscode.window.showInformationMessage(vscode.l10n.t('Select the text to test first.'));
    return;
  }
  const tuned = listTuned(stores);
  if (tuned.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('There is no adapter yet: fine-tune with a dataset first.'),
    );
    return;
  }
  const run = tuned.length === 1 ? tuned[0] : await pickRun(tuned, vscode.l10n.t('Adapter to test with'));
  if (run !== undefined) await comparePanels.open(run, prompt, vscode.ViewColumn.Beside);
}

/** Asks for a prompt and shows the answers of base and adapter. */
export async function testPrompt({ stores, comparePanels }: Services, argument: unknown): Promise<void> {
  requireTrust();
  const run = await resolveRun(stores, argument, candidate => candidate.output !== undefined);
  if (run === undefined) return;
  const prompt = await vscode.window.showInputBox({
    title: vscode.l10n.t('Test prompt for {0}', run.name),
    prompt: vscode.l10n.t('Answered by the base model, the base with its best prompt, and the adapter.'),
    ignoreFocusOut: true,
  });
  if (prompt !== undefined && prompt.trim() !== '') await comparePanels.open(run, prompt.trim());
}
