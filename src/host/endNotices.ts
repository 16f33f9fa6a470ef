/** @file The notification when a run ends: what came of it and the next step. */
import * as vscode from 'vscode';
import { EndedRuns } from './runs/endedRuns.ts';
import { ownerOf } from './runs/families.ts';
import type { RunReader } from './runs/runReader.ts';
import type { Services } from './services.ts';

const memoryKey = 'activeRuns';

export function showEndNotices(services: Services): vscode.Disposable {
  const { workspaceState } = services.context;
  const ended = new EndedRuns({
    read: () => workspaceState.get<string[]>(memoryKey, []),
    write: runs => void workspaceState.update(memoryKey, runs),
  });
  return services.stores.onDidChange(({ run, change }) => {
    // Of many trials only the search that they belong to tells its end.
    if (change === 'removed' || !ended.note(run)) return;
    if (ownerOf(run, services.stores.listRuns()) === undefined) void tell(run);
  });
}

async function tell(run: RunReader): Promise<void> {
  const open = { title: vscode.l10n.t('Open'), command: 'tuningFork.run.open' };
  const compare = { title: vscode.l10n.t('Compare'), command: 'tuningFork.run.compare' };
  const resume = { title: vscode.l10n.t('Resume'), command: 'tuningFork.run.resume' };
  const showLog = { title: vscode.l10n.t('Show Log'), command: 'tuningFork.run.showLog' };
  const chosen = await show(run, { open, compare, resume, showLog });
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command, run.path);
}

type Action = { title: string; command: string };

function show(
  run: RunReader,
  { open, compare, resume, showLog }: Record<'open' | 'compare' | 'resume' | 'showLog', Action>,
): Thenable<Action | undefined> {
  if (run.state === 'finished') {
    const text = vscode.l10n.t('Fine-tuning "{0}" finished.', run.name);
    return run.output === undefined
      ? vscode.window.showInformationMessage(text, open)
      : vscode.window.showInformationMessage(text, open, compare);
  }
  if (run.state === 'failed') {
    const { message, hint } = run.status?.error ?? { message: vscode.l10n.t('no reason was written'), hint: undefined };
    const text = vscode.l10n.t('Fine-tuning "{0}" failed: {1}', run.name, [message, hint].filter(Boolean).join('. '));
    return vscode.window.showErrorMessage(text, showLog, open);
  }
  const text = vscode.l10n.t('Fine-tuning "{0}" was interrupted: its process is gone.', run.name);
  return vscode.window.showWarningMessage(text, resume, open);
}
