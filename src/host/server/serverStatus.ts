/** @file The status bar item while the server is there. */
import * as vscode from 'vscode';
import type { ModelServer } from './modelServer.ts';

export function showServerStatus(server: ModelServer): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('tuningFork.server', vscode.StatusBarAlignment.Left, 9);
  item.name = vscode.l10n.t('Tuning Fork server');
  const update = () => {
    const { state } = server;
    void vscode.commands.executeCommand('setContext', 'tuningFork.serverIsOn', state.kind === 'on');
    switch (state.kind) {
      case 'off':
        return item.hide();
      case 'starting':
        item.text = `$(sync~spin) ${vscode.l10n.t('Starting the server')}`;
        item.tooltip = state.phase;
        item.command = undefined;
        break;
      case 'stopping':
        item.text = `$(sync~spin) ${vscode.l10n.t('Stopping the server')}`;
        item.command = undefined;
        break;
      case 'on':
        item.text = `$(broadcast) ${new URL(state.address.baseUrl).host}`;
        item.tooltip = vscode.l10n.t(
          'Serving {0} at {1}. Click for address, key and stop.',
          state.address.models.join(', '),
          state.address.baseUrl,
        );
        item.command = 'tuningFork.server.show';
        break;
    }
    item.show();
  };
  return vscode.Disposable.from(item, server.onDidChange(update));
}
