/** @file The tree of what runs have produced, under the base model it belongs to. */
import * as vscode from 'vscode';
import { baseOf, modelLabel } from '../compare/comparePanels.ts';
import { describeRun } from '../runs/describeRun.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { RunStores } from '../runs/runStores.ts';

type Node = { kind: 'base'; sha256: string; label: string } | { kind: 'adapter'; run: RunReader };

export class AdaptersView implements vscode.TreeDataProvider<Node> {
  private readonly emitter = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.emitter.event;

  constructor(private readonly stores: RunStores) {
    stores.onDidChange(({ change }) => change !== 'series' && this.emitter.fire(undefined));
  }

  getChildren(node?: Node): Node[] {
    if (node?.kind === 'adapter') return [];
    const runs = listTuned(this.stores);
    if (node?.kind === 'base') {
      return runs.filter(run => baseOf(run) === node.sha256).map(run => ({ kind: 'adapter', run }));
    }
    const bases = new Map(runs.map(run => [baseOf(run), modelLabel(run)]));
    return [...bases].map(([sha256, label]) => ({ kind: 'base', sha256, label }));
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === 'adapter') return adapterItem(node.run);
    const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Expanded);
    item.id = node.sha256;
    item.iconPath = new vscode.ThemeIcon('package');
    item.contextValue = 'base';
    return item;
  }

  dispose(): void {
    this.emitter.dispose();
  }
}

/** Runs that came to an end and left an adapter or a model. */
export function listTuned(stores: RunStores): RunReader[] {
  const isOver = (run: RunReader) => run.state === 'finished' || run.state === 'stopped';
  return stores.listRuns().filter(run => isOver(run) && run.output !== undefined && run.record !== undefined);
}

function adapterItem(run: RunReader): vscode.TreeItem {
  const item = new vscode.TreeItem(run.name, vscode.TreeItemCollapsibleState.None);
  const { rank, method } = run.record!.hyperparameters;
  const what = method === 'full' ? vscode.l10n.t('full model') : vscode.l10n.t('rank {0}', rank);
  const { bestEvalLoss } = describeRun(run);
  const loss = bestEvalLoss && vscode.l10n.t('held-out {0}', bestEvalLoss);
  item.id = run.path;
  item.description = [what, loss].filter(text => text !== '').join(' · ');
  item.iconPath = new vscode.ThemeIcon(method === 'full' ? 'server-environment' : 'extensions');
  item.contextValue = 'adapter comparable';
  item.tooltip = `${run.id}\n${run.record!.datasets[0]!.path}`;
  item.command = { command: 'tuningFork.run.compare', title: vscode.l10n.t('Compare'), arguments: [run.path] };
  return item;
}
