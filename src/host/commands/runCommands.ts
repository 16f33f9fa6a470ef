/** @file Commands of the runs view, the run panel and their Command Palette twins. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import writeFileAtomic from 'write-file-atomic';
import { TuneError } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import { type RunNotes, runNames } from '../../shared/runFolder.ts';
import { isActive, isResumable } from '../../shared/runState.ts';
import { exportRun } from '../exports/exportRun.ts';
import { revealFolder } from '../revealFolder.ts';
import { deleteRun, planDeletion } from '../runs/deleteRun.ts';
import type { RunAction } from '../runs/runControls.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { reportRun } from '../trackers/trackerActions.ts';
import { requireTrust } from '../trust.ts';
import { formViewId } from '../views/formView.ts';
import { resolveRun } from './pickRun.ts';

type RunCommand = (services: Services, argument: unknown) => Promise<void>;

const isBusy = (run: RunReader) => isActive(run.state) || run.state === 'queued';

function onRun(
  isOffered: (run: RunReader) => boolean,
  act: (services: Services, run: RunReader) => unknown,
): RunCommand {
  return async (services, argument) => {
    const run = await resolveRun(services.stores, argument, isOffered);
    if (run !== undefined) await act(services, run);
  };
}

const control = (action: RunAction, isOffered: (run: RunReader) => boolean): RunCommand =>
  onRun(isOffered, async ({ controls, runPanels }, run) => {
    if (action === 'resume') requireTrust();
    await controls.request(run, action);
    const error = controls.errorOf(run);
    if (error !== null) throw new TuneError(error.code, error.message, error);
    if (action === 'resume') runPanels.open(run);
  });

export const openRun = onRun(
  () => true,
  ({ runPanels }, run) => runPanels.open(run),
);
export const pauseRun = control('pause', run => isActive(run.state));
export const resumeRunCommand = control('resume', run => isResumable(run.state) || run.state === 'queued');
export const stopRun = control('stop', isBusy);
export const checkpointRun = control('checkpoint', run => isActive(run.state));

export const runAgain = onRun(
  run => run.record !== undefined || run.request !== undefined,
  async ({ form, freshness }, run) => {
    const source = run.record ?? run.request;
    if (source === undefined) return;
    const model = typeof source.model === 'string' ? source.model : source.model.id;
    const share = [source.datasets[0]!.path, model].find(path => freshness.isForeignShare(path));
    if (share !== undefined) {
      throw new TuneError(
        'run-invalid',
        vscode.l10n.t('{0}: expected files of this machine, got the network share {1}.', run.name, share),
        { hint: vscode.l10n.t('A run folder may come from anyone: choose dataset and model in the form yourself.') },
      );
    }
    form.useRecipe(source, run.name);
    await vscode.commands.executeCommand(`${formViewId}.focus`);
  },
);

export const renameRun = onRun(
  () => true,
  async ({ stores }, run) => {
    const name = await vscode.window.showInputBox({
      title: vscode.l10n.t('Rename run'),
      value: run.name,
      validateInput: text =>
        text.trim().length >= 1 && text.trim().length <= 120
          ? undefined
          : vscode.l10n.t('Expected 1 to 120 characters.'),
    });
    if (name === undefined) return;
    const notes: RunNotes = { tags: [], note: '', pinned: false, ...run.notes, name: name.trim() };
    await writeFileAtomic(join(run.path, runNames.notes), `${JSON.stringify(notes, null, 2)}\n`);
    await stores.refresh();
  },
);

export const revealRun = onRun(
  () => true,
  (_, run) => revealFolder(run.path),
);

export const reportRunCommand = onRun(
  run => run.record !== undefined,
  (services, run) => reportRun(services, run),
);

export const showRunLog = onRun(
  () => true,
  async (_, run) => {
    await vscode.window.showTextDocument(vscode.Uri.file(join(run.path, runNames.log)), { preview: true });
  },
);

export const compareRun = onRun(
  run => run.output !== undefined,
  ({ comparePanels }, run) => comparePanels.open(run),
);

export const exportRunCommand = onRun(
  run => run.output !== undefined && run.record !== undefined,
  (services, run) => exportRun(services, run),
);

export const deleteRunCommand = onRun(
  run => !isBusy(run),
  async ({ stores }, run) => {
    const others =
      stores
        .findStore(run.store)
        ?.list()
        .filter(other => other !== run) ?? [];
    const plan = await planDeletion(run, others);
    const remove = vscode.l10n.t('Delete');
    const detail = [
      vscode.l10n.t('This frees {0} and cannot be undone.', formatBytes(plan.freedBytes)),
      run.output === undefined ? '' : vscode.l10n.t('Its adapter is deleted with it.'),
      plan.children.length === 0 ? '' : vscode.l10n.t('The {0} runs that it started go too.', plan.children.length),
      plan.snapshots.length === 0 ? '' : vscode.l10n.t('The copy of its dataset, which no other run uses, goes too.'),
    ];
    const chosen = await vscode.window.showWarningMessage(
      vscode.l10n.t('Delete the run "{0}"?', run.name),
      { modal: true, detail: detail.filter(text => text !== '').join(' ') },
      remove,
    );
    if (chosen !== remove) return;
    await deleteRun(plan);
    await stores.refresh();
  },
);
