/** @file The status bar item while a run is on. */
import * as vscode from 'vscode';
import { isActive } from '../shared/runState.ts';
import { Throttle } from './panels/throttle.ts';
import { describeRun } from './runs/describeRun.ts';
import type { RunReader } from './runs/runReader.ts';
import type { RunStores } from './runs/runStores.ts';
import { stateText } from './views/stateText.ts';

const refreshIntervalMs = 500;

export function showStatusBar(stores: RunStores): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('tuningFork.run', vscode.StatusBarAlignment.Left, 10);
  item.name = vscode.l10n.t('Tuning Fork run');
  const update = () => {
    const active = stores.listRuns().filter(run => isActive(run.state));
    const run = active[0];
    if (run === undefined) return item.hide();
    item.text = statusText(run, active.length);
    item.tooltip = vscode.l10n.t('{0}: {1}. Click to open its panel.', run.name, stateText(run.state));
    item.command = { command: 'tuningFork.run.open', title: '', arguments: [run.path] };
    item.show();
  };
  const throttle = new Throttle(refreshIntervalMs, update);
  const subscription = stores.onDidChange(() => throttle.request());
  return vscode.Disposable.from(item, throttle, subscription);
}

function statusText(run: RunReader, activeCount: number): string {
  const { steps, loss, timeLeft } = describeRun(run);
  const phase = run.status?.phase?.name ?? '';
  const facts =
    run.state === 'running'
      ? [steps, loss && vscode.l10n.t('loss {0}', loss), timeLeft && vscode.l10n.t('{0} left', timeLeft), phase]
      : [stateText(run.state), phase || steps];
  const others = activeCount > 1 ? ` (+${activeCount - 1})` : '';
  return `$(sync~spin) ${run.name} ${facts.filter(text => text !== '').join(' · ')}${others}`;
}
