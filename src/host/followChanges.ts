/** @file Folders, settings, trust and saved datasets -> the parts that depend on them. */
import * as vscode from 'vscode';
import type { Services } from './services.ts';
import { findStorePlaces } from './storePlaces.ts';

export function followChanges({ context, stores, form, log }: Services): vscode.Disposable {
  const findStores = () => stores.setPlaces(findStorePlaces(context));
  const refreshForm = () => void form.refreshSurroundings().catch(error => log.error(String(error)));
  findStores();
  return vscode.Disposable.from(
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      findStores();
      refreshForm();
    }),
    vscode.workspace.onDidChangeConfiguration(event => {
      if (!event.affectsConfiguration('tuningFork')) return;
      findStores();
      refreshForm();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(refreshForm),
    vscode.workspace.onDidSaveTextDocument(document => {
      if (document.uri.scheme === 'file') form.noteDatasetChanged(document.uri.fsPath);
    }),
  );
}
