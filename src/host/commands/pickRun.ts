/** @file A command's argument -> the run it is for; from the Command Palette the user picks one. */
import * as vscode from 'vscode';
import type { RunReader } from '../runs/runReader.ts';
import type { RunStores } from '../runs/runStores.ts';
import { stateText } from '../views/stateText.ts';

/** Undefined when the user picked none. */
export async function resolveRun(
  stores: RunStores,
  argument: unknown,
  isOffered: (run: RunReader) => boolean,
): Promise<RunReader | undefined> {
  const path = pathOf(argument);
  if (path !== undefined) {
    if (stores.findRun(path) === undefined) await stores.refresh();
    return stores.findRun(path);
  }
  const runs = stores.listRuns().filter(isOffered);
  if (runs.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no run for this command.'));
    return undefined;
  }
  return await pickRun(runs, vscode.l10n.t('Pick a run'));
}

export async function pickRun(runs: readonly RunReader[], placeHolder: string): Promise<RunReader | undefined> {
  const items = runs.map(run => ({
    label: run.name,
    description: stateText(run.state),
    detail: run.stored === undefined ? run.id : `${run.stored.model.id} · ${run.id}`,
    run,
  }));
  return (await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true, matchOnDetail: true }))
    ?.run;
}

/** Commands of our own pass the run folder; the trees pass their node. */
function pathOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') return argument;
  return (argument as { run?: RunReader } | undefined)?.run?.path;
}
