/** @file The compare panel: one for each base model, so that its adapters switch without loading it again. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { TuneError } from '../../shared/errors.ts';
import type { BestPrompt } from '../../shared/inferenceProtocol.ts';
import { compareMessageSchema } from '../../shared/pages.ts';
import type { RunRecord } from '../../shared/recipe.ts';
import { iconPath } from '../icons.ts';
import { Throttle } from '../panels/throttle.ts';
import { openPage, postSnapshot, readRestored } from '../panels/webviewPage.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { CompareController, type ComparedAdapter, type KeptComparison } from './compareController.ts';

export const comparePanelType = 'tuningFork.compare';
const snapshotIntervalMs = 80;

interface Opened {
  panel: vscode.WebviewPanel;
  controller: CompareController;
}

export class ComparePanels implements vscode.WebviewPanelSerializer {
  private readonly opened = new Map<string, Opened>();

  constructor(private readonly services: () => Services) {}

  /** Shows the run's adapter beside its base; asks `prompt` at once when there is one. */
  async open(run: RunReader, prompt?: string, column = vscode.ViewColumn.Active): Promise<void> {
    requireTrust();
    if (run.record === undefined || run.output === undefined) {
      throw new TuneError(
        'adapter-invalid',
        vscode.l10n.t('{0}: expected a run with an adapter, got one without.', run.name),
      );
    }
    const known = this.opened.get(baseOf(run));
    known?.panel.reveal();
    await known?.controller.useAdapter(run.path);
    const opened = known ?? this.attach(this.createPanel(run, column), run);
    if (prompt !== undefined) await opened.controller.ask(prompt);
    else if (known === undefined) await opened.controller.open();
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const path = readRestored(state, 'run');
    await this.services().stores.refresh();
    const run = path === undefined ? undefined : this.services().stores.findRun(path);
    if (run?.record === undefined || run.output === undefined) return panel.dispose();
    const { context, stores } = this.services();
    const kept = context.workspaceState.get<KeptComparison>(comparisonKey(baseOf(run)));
    const shown = kept === undefined ? undefined : stores.findRun(kept.adapter);
    await this.attach(panel, shown?.output === undefined ? run : shown, kept).controller.open();
  }

  private createPanel(run: RunReader, column: vscode.ViewColumn): vscode.WebviewPanel {
    const title = vscode.l10n.t('Compare: {0}', modelLabel(run));
    return vscode.window.createWebviewPanel(comparePanelType, title, column, {});
  }

  private attach(panel: vscode.WebviewPanel, run: RunReader, kept?: KeptComparison): Opened {
    const { context, log, inference, stores } = this.services();
    const base = baseOf(run);
    const controller = new CompareController(
      {
        call: inference.call,
        onDidReceive: inference.onDidReceive,
        listAdapters: () => listAdapters(stores.listRuns(), base),
        requireTrust,
        recallBestPrompt: path => context.workspaceState.get<BestPrompt>(bestPromptKey(path)),
        rememberBestPrompt: (path, best) => void context.workspaceState.update(bestPromptKey(path), best),
        keep: comparison => void context.workspaceState.update(comparisonKey(base), comparison),
      },
      toAdapter(run),
      kept,
    );
    const throttle = new Throttle(snapshotIntervalMs, () => {
      if (panel.visible) postSnapshot(panel.webview, { type: 'compare/state', state: controller.snapshot() });
    });
    const subscriptions = [
      openPage({
        webview: panel.webview,
        extensionFolder: context.extensionPath,
        page: 'compare',
        title: panel.title,
        restore: { run: run.path },
        schema: compareMessageSchema,
        receive: message => {
          if (message.type === 'compare/run' || message.type === 'compare/searchPrompt') requireTrust();
          return controller.receive(message);
        },
        log,
      }),
      controller.onDidChange(() => throttle.request()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => controller.open()),
      stores.onDidChange(({ change }) => change !== 'series' && throttle.request()),
      controller,
      throttle,
    ];
    panel.iconPath = iconPath(context, 'compare');
    panel.onDidChangeViewState(() => throttle.request());
    const opened = { panel, controller };
    this.opened.set(base, opened);
    panel.onDidDispose(() => {
      this.opened.delete(base);
      for (const subscription of subscriptions) subscription.dispose();
    });
    return opened;
  }
}

export function listAdapters(runs: readonly RunReader[], base: string): ComparedAdapter[] {
  return runs
    .filter(run => run.record !== undefined && run.output !== undefined && baseOf(run) === base)
    .map(toAdapter);
}

export function baseOf(run: RunReader): string {
  return run.record?.model.sha256 ?? '';
}

export function modelLabel(run: RunReader): string {
  const id = run.record?.model.id ?? '';
  return id.split(/[\\/]/).at(-1) || id;
}

/** As it is asked. */
export function toAdapter(run: RunReader): ComparedAdapter {
  return { run: run.path, name: run.name, model: modelToOpen(run.record!.model) };
}

/** The shipped model by its name, which moves with each update of the extension; others where the run found them. */
export function modelToOpen({ id, path }: RunRecord['model']): string {
  return id !== 'tiny' && isAbsolute(path) && !/^[\\/]{2}/.test(path) && existsSync(path) ? path : id;
}

const comparisonKey = (base: string) => `comparison:${base}`;
const bestPromptKey = (run: string) => `bestPrompt:${run}`;
