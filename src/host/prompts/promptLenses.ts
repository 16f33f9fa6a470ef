/** @file What can be done with a `.prompt.md` file, above its prompt. */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';
import { listTuned } from '../views/adaptersView.ts';
import { recallAdapter } from './promptCommands.ts';
import { readPromptFile } from './promptFile.ts';

export function registerPromptLenses(services: Services): vscode.Disposable {
  const emitter = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: emitter.event,
    provideCodeLenses: document => {
      const { prompt, line } = readPromptFile(document.getText());
      if (prompt === '' || listTuned(services.stores).length === 0) return [];
      const range = new vscode.Range(line, 0, line, 0);
      const run = recallAdapter(services, document);
      const title =
        run === undefined ? vscode.l10n.t('Run with adapter...') : vscode.l10n.t('Run with adapter {0}', run.name);
      const lenses = [
        new vscode.CodeLens(range, {
          title: `$(play)\u00a0${title}`,
          command: 'tuningFork.prompt.run',
          arguments: [document.uri],
        }),
      ];
      if (run !== undefined && listTuned(services.stores).length > 1) {
        const other = vscode.l10n.t('Another adapter...');
        lenses.push(
          new vscode.CodeLens(range, { title: other, command: 'tuningFork.prompt.runWith', arguments: [document.uri] }),
        );
      }
      return lenses;
    },
  };
  return vscode.Disposable.from(
    emitter,
    services.stores.onDidChange(({ change }) => change !== 'series' && emitter.fire()),
    vscode.languages.registerCodeLensProvider({ pattern: '**/*.prompt.md' }, provider),
  );
}
