/** @file The panel of a run: one for each run, restored after a reload, fed with complete snapshots while it can be seen. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { toWireError, type WireError } from '../../shared/errors.ts';
import { type PageState, type RunMessage, runMessageSchema } from '../../shared/pages.ts';
import { runNames } from '../../shared/runFolder.ts';
import { revealFolder } from '../revealFolder.ts';
import { takePipelineView } from '../runs/pipelineView.ts';
import type { RunReader } from '../runs/runReader.ts';
import { type RunExtras, takeRunSnapshot } from '../runs/runSnapshot.ts';
import type { Services } from '../services.ts';
import { showError } from '../showError.ts';
import { catchUp, openTracker, syncRun } from '../trackers/trackerActions.ts';
import { EvaluationPanel } from './evaluationPanel.ts';
import { controlShownRun, followRun, type ShownRun } from './followRun.ts';
import { StudyPanel } from './studyPanel.ts';
import type { Throttle } from './throttle.ts';
import { readRestored } from './webviewPage.ts';

export const runPanelType = 'tuningFork.run';
/** A long run's snapshot is large, and its curve changes slowly. */
const snapshotIntervalMs = (rows: number) => (rows < 500 ? 250 : 500);

export class RunPanels implements vscode.WebviewPanelSerializer {
  private readonly panels = new Map<string, ReturnType<typeof createPanel>>();

  constructor(private readonly services: () => Services) {}

  open(run: RunReader, column = vscode.ViewColumn.Active): void {
    const known = this.panels.get(run.path);
    if (known === undefined) this.attach(vscode.window.createWebviewPanel(runPanelType, run.name, column, {}), run);
    else known.reveal();
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const path = readRestored(state, 'run');
    await this.services().stores.refresh();
    const run = path === undefined ? undefined : this.services().stores.findRun(path);
    if (run === undefined) panel.dispose();
    else this.attach(panel, run);
  }

  private attach(panel: vscode.WebviewPanel, run: RunReader): void {
    const shown = { panel, run, services: this.services() };
    const attached = createPanel(shown);
    this.panels.set(run.path, attached);
    panel.onDidDispose(() => this.panels.delete(run.path));
  }
}

/** Of the run's kind. */
function createPanel(shown: ShownRun): RunPanel | StudyPanel | EvaluationPanel {
  if (shown.run.kind === 'search') return new StudyPanel(shown);
  return shown.run.kind === 'evaluate' ? new EvaluationPanel(shown) : new RunPanel(shown);
}

class RunPanel {
  private readonly run: RunReader;
  private readonly services: Services;
  private readonly throttle: Throttle;
  private differences: RunExtras['datasetDifferences'] = null;
  private error: WireError | null = null;

  constructor(private readonly shown: ShownRun) {
    const { run, services } = shown;
    this.run = run;
    this.services = services;
    this.throttle = followRun(shown, {
      page: 'run',
      schema: runMessageSchema,
      intervalMs: () => snapshotIntervalMs(run.series.steps.length),
      takeSnapshot: () => this.takeSnapshot(),
      receive: message => this.receive(message),
      concerns: changed => run.kind === 'pipeline' && changed.parents.includes(run.id),
      also: [
        services.stores.findStore(run.store)?.watchSeries(run.id) ?? { dispose: () => undefined },
        services.freshness.onDidChange(path => {
          if (run.record?.datasets[0]?.path !== path) return;
          this.differences = null;
          this.throttle.request();
        }),
      ],
    });
  }

  reveal(): void {
    this.shown.panel.reveal();
  }

  private takeSnapshot(): PageState {
    const { run, services } = this;
    const state = takeRunSnapshot(run, {
      pendingControl: services.controls.pendingOf(run),
      datasetChanged: this.hasDatasetChanged(),
      datasetDifferences: this.differences,
      error: this.error ?? services.controls.errorOf(run),
      pipeline: takePipelineView(run, this.siblings()),
    });
    return { type: 'run/state', state };
  }

  private siblings(): readonly RunReader[] {
    return this.run.kind === 'pipeline' ? (this.services.stores.findStore(this.run.store)?.list() ?? []) : [];
  }

  private openStage(id: string): void {
    const run = this.siblings().find(sibling => sibling.id === id);
    if (run !== undefined) this.services.runPanels.open(run);
  }

  private pipelineFile(): string | undefined {
    const { stored, storedRequest } = this.run;
    const source = stored ?? storedRequest;
    return source?.kind === 'pipeline' ? source.file : undefined;
  }

  private hasDatasetChanged(): boolean {
    const dataset = this.run.record?.datasets[0];
    return dataset !== undefined && this.services.freshness.hasChanged(dataset) === true;
  }

  private async receive(message: RunMessage): Promise<void> {
    const { run, services } = this;
    switch (message.type) {
      case 'run/control':
        return await controlShownRun(this.shown, message.action);
      case 'run/compare':
        return await services.comparePanels.open(run);
      case 'run/again':
        return void (await vscode.commands.executeCommand('tuningFork.run.again', run.path));
      case 'run/reveal':
        return await revealFolder(run.path);
      case 'run/showLog':
        return void (await vscode.window.showTextDocument(vscode.Uri.file(join(run.path, runNames.log))));
      case 'run/openStage':
        return this.openStage(message.run);
      case 'run/restartStage': {
        const target = { file: this.pipelineFile(), stage: message.stage };
        return void (await vscode.commands.executeCommand('tuningFork.pipeline.restart', target));
      }
      case 'run/openPipeline': {
        const file = this.pipelineFile();
        return file === undefined ? undefined : void (await vscode.window.showTextDocument(vscode.Uri.file(file)));
      }
      case 'run/showDifferences':
        return await this.showDifferences();
      case 'run/tracker':
        return await this.turnToTracker(message);
    }
  }

  private async turnToTracker({ kind, action }: Extract<RunMessage, { type: 'run/tracker' }>): Promise<void> {
    const { run, services } = this;
    try {
      if (action === 'open') await openTracker(run, kind);
      else if (action === 'sync') await syncRun(services, run);
      else await catchUp(services, run, kind);
    } catch (error) {
      await showError(services.log, error);
    }
  }

  private async showDifferences(): Promise<void> {
    const dataset = this.run.record?.datasets[0];
    if (dataset === undefined) return;
    try {
      this.error = null;
      const { path, snapshot, mapping } = dataset;
      this.differences = await this.services.dataset.call('dataset/compare', {
        path,
        store: this.run.store,
        snapshot,
        mapping,
      });
    } catch (error) {
      this.error = toWireError(error);
    }
    this.throttle.request();
  }
}
