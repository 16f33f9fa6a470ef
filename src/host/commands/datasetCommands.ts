/** @file Commands that put a dataset into the form. */
import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import { datasetExtensions, hasDatasetName } from '../../shared/datasetFormats.ts';
import { TuneError } from '../../shared/errors.ts';
import type { Services } from '../services.ts';
import { formViewId } from '../views/formView.ts';

/** From a context menu: the resource; from a keyboard shortcut: the active editor's file. */
export async function fineTune({ form }: Services, argument: unknown): Promise<void> {
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  if (uri === undefined) return await chooseDataset(form);
  await useDataset(form, uri);
}

/** From the Command Palette: the active editor's dataset, else a file that the user chooses. */
export async function fineTuneWithFile({ form }: Services): Promise<void> {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active !== undefined && active.scheme === 'file' && isDataset(active)) await useDataset(form, active);
  else await chooseDataset(form);
}

export async function askForDataset(): Promise<string | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Dataset to fine-tune with'),
    openLabel: vscode.l10n.t('Use Dataset'),
    filters: { [vscode.l10n.t('Datasets')]: [...datasetExtensions, 'gz'] },
    ...(folder === undefined ? {} : { defaultUri: folder }),
  });
  return chosen?.[0]?.fsPath;
}

async function chooseDataset(form: Services['form']): Promise<void> {
  const path = await askForDataset();
  if (path !== undefined) await useDataset(form, vscode.Uri.file(path));
}

async function useDataset(form: Services['form'], uri: vscode.Uri): Promise<void> {
  if (uri.scheme !== 'file' || !(isDataset(uri) || (await isFolder(uri)))) {
    throw new TuneError(
      'dataset-invalid',
      vscode.l10n.t(
        '{0}: expected a dataset (.jsonl, .json, .csv, .tsv, .parquet, .txt, .md, also .gz) or a folder of them on disk, got another kind of file.',
        uri.path,
      ),
    );
  }
  // What is typed but not saved would not be trained on.
  const document = vscode.workspace.textDocuments.find(d => d.uri.toString() === uri.toString());
  if (document?.isDirty === true) await document.save();
  form.useDataset(uri.fsPath);
  await vscode.commands.executeCommand(`${formViewId}.focus`);
}

async function isFolder(uri: vscode.Uri): Promise<boolean> {
  const found = await stat(uri.fsPath).catch(() => undefined);
  return found?.isDirectory() === true;
}

function isDataset(uri: vscode.Uri): boolean {
  return hasDatasetName(uri.path);
}
