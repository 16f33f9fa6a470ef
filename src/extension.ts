/** @file Where the editor enters: builds the parts and registers commands, views and panels. */
import * as vscode from 'vscode';
import { watchDrift } from './host/augment/driftNotices.ts';
import { buildServices } from './host/buildServices.ts';
import { registerChatModels } from './host/chat/chatModels.ts';
import { commandTable } from './host/commands/commandTable.ts';
import { comparePanelType } from './host/compare/comparePanels.ts';
import { showEndNotices } from './host/endNotices.ts';
import { followChanges } from './host/followChanges.ts';
import { runPanelType } from './host/panels/runPanels.ts';
import { registerPipelineLanguage } from './host/pipeline/pipelineLanguage.ts';
import { registerPromptLenses } from './host/prompts/promptLenses.ts';
import { showServerStatus } from './host/server/serverStatus.ts';
import { showError } from './host/showError.ts';
import { showStatusBar } from './host/statusBar.ts';
import { AdaptersView } from './host/views/adaptersView.ts';
import { FormView, formViewId } from './host/views/formView.ts';
import { RunsView } from './host/views/runsView.ts';

export function activate(context: vscode.ExtensionContext): void {
  const services = buildServices(context);
  const { log, stores, form } = services;
  for (const [id, command] of Object.entries(commandTable)) {
    const run = async (argument: unknown) => {
      try {
        return await command(services, argument);
      } catch (error) {
        return void showError(log, error);
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(id, run));
  }
  const runsView = new RunsView(stores);
  const adaptersView = new AdaptersView(stores);
  const formView = new FormView(form, context.extensionPath, log);
  context.subscriptions.push(
    runsView,
    adaptersView,
    vscode.window.registerTreeDataProvider('tuningFork.runs', runsView),
    vscode.window.registerTreeDataProvider('tuningFork.adapters', adaptersView),
    vscode.window.registerWebviewViewProvider(formViewId, formView),
    vscode.window.registerWebviewPanelSerializer(runPanelType, services.runPanels),
    vscode.window.registerWebviewPanelSerializer(comparePanelType, services.comparePanels),
    registerPipelineLanguage(() => services),
    registerChatModels(services),
    registerPromptLenses(services),
    showStatusBar(stores),
    showServerStatus(services.server),
    showEndNotices(services),
    followChanges(services),
    watchDrift(services),
  );
}
