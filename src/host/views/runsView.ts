/** @file The tree of runs, newest first, under their workspace folder when there are several. */
import * as vscode from 'vscode';
import type { ShownState } from '../../shared/runState.ts';
import { Throttle } from '../panels/throttle.ts';
import { contextValueOf, describeRun } from '../runs/describeRun.ts';
import { childrenOf, ownerOf } from '../runs/families.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { RunStores } from '../runs/runStores.ts';
import { stateText } from './stateText.ts';

type Node = { kind: 'store'; root: string; label: string } | { kind: 'run'; run: RunReader };

const refreshIntervalMs = 1000;
const longestName = 24;

export class RunsView implements vscode.TreeDataProvider<Node> {
  private readonly emitter = new vscode.EventEmitter<undefined>();
  private readonly throttle = new Throttle(refreshIntervalMs, () => this.emitter.fire(undefined));
  readonly onDidChangeTreeData = this.emitter.event;

  constructor(private readonly stores: RunStores) {
    stores.onDidChange(() => this.throttle.request());
  }

  getChildren(node?: Node): Node[] {
    if (node?.kind === 'run')
      return childrenOf(node.run, this.listOf(node.run.store)).map(run => ({ kind: 'run', run }));
    if (node?.kind === 'store') return this.runsOf(node.root);
    const stores = this.stores.listStores().filter(store => store.list().length > 0);
    if (stores.length === 1) return this.runsOf(stores[0]!.root);
    return stores.map(({ root, label }) => ({ kind: 'store', root, label }));
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === 'run') return runItem(node.run);
    const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Expanded);
    item.id = node.root;
    item.iconPath = vscode.ThemeIcon.Folder;
    return item;
  }

  dispose(): void {
    this.throttle.dispose();
    this.emitter.dispose();
  }

  private listOf(root: string): RunReader[] {
    return this.stores.findStore(root)?.list() ?? [];
  }

  private runsOf(root: string): Node[] {
    const all = this.listOf(root);
    return all.filter(run => ownerOf(run, all) === undefined).map(run => ({ kind: 'run', run }));
  }
}

function runItem(run: RunReader): vscode.TreeItem {
  const { Collapsed, None } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(shortenName(run.name), run.kind === 'train' ? None : Collapsed);
  const { steps, loss, timeLeft, bestEvalLoss } = describeRun(run);
  const isRunning = run.state === 'running';
  const best = bestEvalLoss && vscode.l10n.t('held-out {0}', bestEvalLoss);
  const facts = isRunning ? [steps, loss, timeLeft] : [run.state === 'finished' ? '' : steps, best];
  item.id = run.path;
  item.description = [stateText(run.state), ...facts].filter(text => text !== '').join(' · ');
  item.iconPath = stateIcon(run.state);
  item.contextValue = contextValueOf(run);
  item.tooltip = runTooltip(run);
  item.command = { command: 'tuningFork.run.open', title: vscode.l10n.t('Open'), arguments: [run.path] };
  return item;
}

/** A row cuts what stands at its end first: the state is to be seen beside a long name too. */
function shortenName(name: string): string {
  return name.length <= longestName ? name : `${name.slice(0, longestName - 1).trimEnd()}…`;
}

function runTooltip(run: RunReader): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  const lines = [
    run.name,
    run.id,
    vscode.l10n.t('State: {0}', stateText(run.state)),
    run.stored === undefined ? '' : vscode.l10n.t('Model: {0}', run.stored.model.id),
    run.stored === undefined ? '' : vscode.l10n.t('Dataset: {0}', run.stored.datasets[0]!.path),
    run.status?.error?.message ?? '',
  ];
  tooltip.appendText(lines.filter(line => line !== '').join('\n'));
  return tooltip;
}

function stateIcon(state: ShownState): vscode.ThemeIcon {
  const color = (name: string) => new vscode.ThemeColor(name);
  switch (state) {
    case 'queued':
      return new vscode.ThemeIcon('watch');
    case 'preparing':
    case 'running':
    case 'pausing':
    case 'stopping':
      return new vscode.ThemeIcon('sync~spin', color('charts.blue'));
    case 'paused':
      return new vscode.ThemeIcon('debug-pause', color('charts.yellow'));
    case 'finished':
      return new vscode.ThemeIcon('pass-filled', color('charts.green'));
    case 'stopped':
      return new vscode.ThemeIcon('debug-stop', color('disabledForeground'));
    case 'failed':
      return new vscode.ThemeIcon('error', color('charts.red'));
    case 'interrupted':
      return new vscode.ThemeIcon('warning', color('charts.orange'));
  }
}
