/** @file "Run Elsewhere...": the form's run, prepared here and written as a folder for Slurm, SkyPilot, dstack or SSH. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { readHubSettings } from '../hubToken.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';

/** @throws TuneError for a form that is not ready, or as the run was refused */
export async function exportJob({ context, form, python }: Services): Promise<void> {
  requireTrust();
  const request = form.requireRequest();
  const nodes = await askNumber(vscode.l10n.t('Machines'), 1, 4096, '1');
  if (nodes === undefined) return;
  const gpus = await askNumber(vscode.l10n.t('Graphics cards on each machine (0: processors)'), 0, 64, '1');
  if (gpus === undefined) return;
  const gpuName = gpus === 0 ? 'H100' : await askCard();
  if (gpuName === undefined) return;
  const [parent] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Folder to put the job in'),
      openLabel: vscode.l10n.t('Write the Job Here'),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  if (parent === undefined) return;
  const name = request.name.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'run';
  const out = join(parent.fsPath, `${name}-job`);
  const hub = await readHubSettings(context.secrets);
  const files = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Preparing the run for elsewhere'),
      cancellable: true,
    },
    async (_, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      try {
        return await python.exportJob({ request, hub, out, nodes, gpus, gpuName }, controller.signal);
      } catch (error) {
        if (!controller.signal.aborted) throw error;
        return undefined;
      }
    },
  );
  if (files !== undefined) await vscode.window.showTextDocument(vscode.Uri.file(join(out, 'README.txt')));
}

async function askNumber(prompt: string, min: number, max: number, value: string): Promise<number | undefined> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Run elsewhere'),
    // A glance at another window takes no answers back.
    ignoreFocusOut: true,
    prompt,
    value,
    validateInput: typed =>
      /^\d{1,4}$/.test(typed.trim()) && Number(typed) >= min && Number(typed) <= max
        ? undefined
        : vscode.l10n.t('Expected a whole number from {0} to {1}.', min, max),
  });
  return text === undefined ? undefined : Number(text);
}

async function askCard(): Promise<string | undefined> {
  return await vscode.window.showInputBox({
    title: vscode.l10n.t('Run elsewhere'),
    // A glance at another window takes no answers back.
    ignoreFocusOut: true,
    prompt: vscode.l10n.t('Card, as SkyPilot and dstack name it'),
    value: 'H100',
    validateInput: typed =>
      /^[A-Za-z0-9][\w.+-]{0,40}$/.test(typed) ? undefined : vscode.l10n.t('Expected a name like H100 or A100-80GB.'),
  });
}
