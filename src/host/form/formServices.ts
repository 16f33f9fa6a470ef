/** @file The form controller's wishes, carried out with the editor. */
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { makeAutomaticSearch } from '../../shared/automaticSearch.ts';
import type { ModelChoice } from '../../shared/pages.ts';
import { askForDataset } from '../commands/datasetCommands.ts';
import { setUpPyTorch } from '../python/setUpPyTorch.ts';
import type { Services } from '../services.ts';
import { readSettings } from '../settings.ts';
import { startRun } from '../startRun.ts';
import { listTrackerChoices } from '../trackers/trackerTargets.ts';
import { openTrust } from '../trust.ts';
import { listTuned } from '../views/adaptersView.ts';
import { chooseAdapter } from './chooseAdapter.ts';
import { chooseModel } from './chooseModel.ts';
import { DatasetWatch } from './datasetWatch.ts';
import { findFreeName } from './findFreeName.ts';
import { findModels, workspaceBounds } from './findModels.ts';
import type { FormServices } from './formController.ts';
import { type FormModel, recallForm } from './formModel.ts';
import { findHubCache, listHubCache } from './hubCache.ts';

const memoryKey = 'form';

export function makeFormServices(context: vscode.ExtensionContext, services: () => Services): FormServices {
  return {
    isTrusted: () => vscode.workspace.isTrusted,
    call: (name, parameters, signal) => services().dataset.call(name, parameters, signal),
    listModels,
    start: async (request, trackers) => {
      const accepted = await startRun(services(), request, trackers);
      await services().stores.refresh();
      const run = services().stores.findAccepted(accepted);
      if (run !== undefined) services().runPanels.open(run);
    },
    findBest: async (request, models) => {
      const minutes = await askForMinutes(models);
      if (minutes === undefined) return;
      const accepted = await startRun(services(), makeAutomaticSearch(request, models, minutes));
      await services().stores.refresh();
      const run = services().stores.findAccepted(accepted);
      if (run !== undefined) services().runPanels.open(run);
    },
    measureTime: (request, signal) => services().inference.call('speed/measure', { request }, signal),
    defaults: () => {
      const { defaultModel, memoryLimitBytes, trackers } = readSettings();
      return { model: defaultModel, memoryLimitBytes, trackers };
    },
    listTrackers: chosen => listTrackerChoices(chosen, readSettings()),
    remember: form => {
      // What the dataset process said is asked for again after a reload.
      const kept: FormModel = { ...form, inspection: null, forecast: null, row: null, error: null };
      void context.workspaceState.update(memoryKey, kept);
    },
    recall: () => recallForm(context.workspaceState.get<FormModel>(memoryKey)),
    findFreeName: name =>
      findFreeName(
        name,
        services()
          .stores.listRuns()
          .map(run => run.name),
      ),
    chooseDataset: askForDataset,
    chooseModel,
    chooseAdapter: () => chooseAdapter(listTuned(services().stores).filter(run => run.output === 'adapter')),
    openLine: async (path, line) => {
      const position = new vscode.Position(line - 1, 0);
      await vscode.window.showTextDocument(vscode.Uri.file(path), { selection: new vscode.Range(position, position) });
    },
    openTrust,
    knownPython: () => services().python.summary,
    lookForPython: () =>
      void services()
        .python.readStatus()
        .catch(error => services().log.warn(String(error))),
    setUpPyTorch: async () => void (await setUpPyTorch(services())),
    watchDataset: onDidChange => new DatasetWatch(onDidChange, error => services().log.warn(String(error))),
  };
}

/** Undefined when the user would rather not. */
async function askForMinutes(models: readonly string[]): Promise<number | undefined> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Find the best'),
    prompt: vscode.l10n.t(
      'Minutes it may take. It checks the data, chooses among {0} models, tries settings, compares with the best prompt and writes a report.',
      models.length,
    ),
    value: '30',
    validateInput: value =>
      Number(value) > 0 && Number(value) <= 100_000
        ? undefined
        : vscode.l10n.t('Expected a number of minutes above 0.'),
  });
  return text === undefined ? undefined : Number(text);
}

async function listModels(): Promise<ModelChoice[]> {
  const { modelFolders, hubCache } = readSettings();
  const workspace = (vscode.workspace.workspaceFolders ?? [])
    .filter(f => f.uri.scheme === 'file')
    .map(f => f.uri.fsPath);
  const tiny = { id: 'tiny', label: 'tiny', detail: vscode.l10n.t('ships with Tuning Fork, works offline') };
  const [found, cached] = await Promise.all([
    findModels([...workspace, ...modelFolders], workspaceBounds),
    listHubCache(findHubCache(hubCache, process.env, homedir())),
  ]);
  return [tiny, ...found, ...cached];
}
