/** @file "Choose adapter...": what runs have produced, or a folder in PEFT's format from elsewhere. */
import * as vscode from 'vscode';
import { describeRun } from '../runs/describeRun.ts';
import type { RunReader } from '../runs/runReader.ts';

type Item = vscode.QuickPickItem & { pick(): Promise<string | undefined> };

/** The folder of a run or an adapter. @param runs those that ended with an adapter */
export async function chooseAdapter(runs: readonly RunReader[]): Promise<string | undefined> {
  const items: Item[] = [
    ...runs.map(run => ({ label: run.name, ...describe(run), pick: async () => run.path })),
    { label: '', kind: vscode.QuickPickItemKind.Separator, pick: async () => undefined },
    { label: `$(folder) ${vscode.l10n.t('Adapter folder...')}`, pick: askForFolder },
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Adapter to start from'),
    matchOnDescription: true,
  });
  return await chosen?.pick();
}

function describe(run: RunReader): Pick<vscode.QuickPickItem, 'description' | 'detail'> {
  const { bestEvalLoss } = describeRun(run);
  const rank = vscode.l10n.t('rank {0}', run.record!.hyperparameters.rank);
  const loss = bestEvalLoss && vscode.l10n.t('held-out {0}', bestEvalLoss);
  return { description: [rank, loss].filter(Boolean).join(' · '), detail: run.id };
}

async function askForFolder(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true });
  return chosen?.[0]?.fsPath;
}
