/** @file Folders, settings, trust and the Hub token -> the parts that depend on them. */
import * as vscode from 'vscode';
import { hubTokenSecret } from './hubToken.ts';
import type { Services } from './services.ts';
import { readSettings } from './settings.ts';
import { findStorePlaces } from './storePlaces.ts';
import { openWindowLease } from './windows/openWindowLease.ts';

export function followChanges({
  context,
  stores,
  form,
  augment,
  dataset,
  inference,
  python,
  log,
}: Services): vscode.Disposable {
  const findStores = () => stores.setPlaces(findStorePlaces(context));
  const refreshForm = () => void form.refreshSurroundings().catch(error => log.error(String(error)));
  // They are told where models come from when they start.
  const restartHelpers = () => {
    dataset.end();
    inference.end();
    augment.end();
  };
  findStores();
  const lease = openWindowLease(stores, error => log.warn(String(error)));
  const followLease = () => lease.follow(readSettings().onWindowClose);
  followLease();
  return vscode.Disposable.from(
    lease,
    python.onDidChange(() => form.refreshPython()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      findStores();
      refreshForm();
    }),
    vscode.workspace.onDidChangeConfiguration(event => {
      if (!event.affectsConfiguration('tuningFork')) return;
      if (event.affectsConfiguration('tuningFork.hubEndpoint') || event.affectsConfiguration('tuningFork.hubCache')) {
        restartHelpers();
      }
      // Both were told of the interpreter when they started.
      if (event.affectsConfiguration('tuningFork.pythonPath')) {
        python.restart();
        dataset.end();
      }
      findStores();
      refreshForm();
      if (event.affectsConfiguration('tuningFork.onWindowClose')) followLease();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(refreshForm),
    context.secrets.onDidChange(({ key }) => key === hubTokenSecret && restartHelpers()),
  );
}
