/** @file Run Prompt with Adapter: a `.prompt.md` file -> the adapter's answer, in an editor beside it. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { askTuned, chatSettings } from '../chat/askTuned.ts';
import { pickRun } from '../commands/pickRun.ts';
import { toAdapter } from '../compare/comparePanels.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { listTuned } from '../views/adaptersView.ts';
import { fillInputs, type PromptFile, readPromptFile } from './promptFile.ts';

/** With the adapter of last time, or the one that the file names. */
export async function runPrompt(services: Services, argument: unknown): Promise<void> {
  const document = await openPrompt(argument);
  if (document !== undefined) await run(services, document, recallAdapter(services, document));
}

/** With another one, which is the usual one from then on. */
export async function runPromptWith(services: Services, argument: unknown): Promise<void> {
  const document = await openPrompt(argument);
  if (document !== undefined) await run(services, document, undefined);
}

/** The only one there is, else the one of last time, else the one whose name the front matter has. */
export function recallAdapter({ stores, context }: Services, document: vscode.TextDocument): RunReader | undefined {
  const tuned = listTuned(stores);
  if (tuned.length === 1) return tuned[0];
  const kept = context.workspaceState.get<string>(adapterKey(document));
  const { model } = readPromptFile(document.getText());
  return tuned.find(({ path }) => path === kept) ?? tuned.find(({ name, id }) => name === model || id === model);
}

async function run(services: Services, document: vscode.TextDocument, known: RunReader | undefined): Promise<void> {
  requireTrust();
  const { stores, context, inference, answers } = services;
  const tuned = listTuned(stores);
  if (tuned.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('There is no adapter yet: fine-tune with a dataset first.'),
    );
    return;
  }
  const chosen = known ?? (await pickRun(tuned, vscode.l10n.t('Adapter to run the prompt with')));
  if (chosen === undefined) return;
  await context.workspaceState.update(adapterKey(document), chosen.path);
  const prompt = await askForInputs(readPromptFile(document.getText()));
  if (prompt === undefined || prompt === '') return;
  const name = basename(document.uri.path).replace(/\.prompt\.md$/i, '');
  const answer = await answers.open(`${name} (${chosen.name})`.replace(/[\\/]/g, ' '));
  const options = {
    location: vscode.ProgressLocation.Window,
    title: vscode.l10n.t('{0} answers {1}', chosen.name, name),
    cancellable: true,
  };
  try {
    await vscode.window.withProgress(options, async (_, token) => {
      const abort = new AbortController();
      const subscription = token.onCancellationRequested(() => abort.abort());
      try {
        await askTuned(inference, {
          adapter: toAdapter(chosen),
          messages: [{ role: 'user', content: prompt }],
          settings: chatSettings,
          signal: abort.signal,
          onText: text => answer.add(text),
        });
      } finally {
        subscription.dispose();
      }
    });
  } finally {
    answer.end();
  }
}

/** Undefined when the user left one of the boxes. */
async function askForInputs({ prompt, inputs }: PromptFile): Promise<string | undefined> {
  const values = new Map<string, string>();
  for (const { name, placeholder } of inputs) {
    const value = await vscode.window.showInputBox({ title: name, placeHolder: placeholder, ignoreFocusOut: true });
    if (value === undefined) return undefined;
    values.set(name, value);
  }
  return fillInputs(prompt, values);
}

async function openPrompt(argument: unknown): Promise<vscode.TextDocument | undefined> {
  if (argument instanceof vscode.Uri) return await vscode.workspace.openTextDocument(argument);
  const document = vscode.window.activeTextEditor?.document;
  if (document?.uri.path.endsWith('.prompt.md') === true) return document;
  void vscode.window.showInformationMessage(vscode.l10n.t('Open a .prompt.md file first.'));
  return undefined;
}

const adapterKey = ({ uri }: vscode.TextDocument) => `promptAdapter:${uri.toString()}`;
