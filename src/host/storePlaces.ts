/** @file Workspace folders -> where their runs are kept. */
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { StorePlace } from './runs/runStores.ts';
import { readSettings } from './settings.ts';

export const defaultStoreName = '.tuning-fork';

/** One place a workspace folder; the user's own storage when no folder is open. */
export function findStorePlaces(context: vscode.ExtensionContext): StorePlace[] {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(folder => folder.uri.scheme === 'file');
  const places = folders.map(folder => ({ root: storeOf(folder), label: folder.name }));
  if (places.length === 0) places.push({ root: userStore(context), label: '' });
  // Two folders may share one absolute setting.
  return places.filter((place, i) => places.findIndex(other => other.root === place.root) === i);
}

/** Where a run of this dataset belongs: its own workspace folder, else the first one, else the user's storage. */
export function findStoreFor(context: vscode.ExtensionContext, datasetPath: string): string {
  const own = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(datasetPath));
  const folder = own ?? vscode.workspace.workspaceFolders?.find(f => f.uri.scheme === 'file');
  return folder === undefined ? userStore(context) : storeOf(folder);
}

function storeOf(folder: vscode.WorkspaceFolder): string {
  const { runsFolder } = readSettings(folder.uri);
  if (runsFolder === '') return join(folder.uri.fsPath, defaultStoreName);
  return isAbsolute(runsFolder) ? runsFolder : join(folder.uri.fsPath, runsFolder);
}

function userStore(context: vscode.ExtensionContext): string {
  return join(context.globalStorageUri.fsPath, defaultStoreName);
}
