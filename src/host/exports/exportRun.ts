/** @file "Export...": what a run tuned, in a format and to a folder of the user's choice, with what comes next at the end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import {
  type ExportFormat,
  type ExportResult,
  type ExportType,
  exportFormatNames,
  exportFormats,
  exportTypeBytes,
} from '../../shared/exportFormats.ts';
import type { ExportSizes } from '../../shared/exportProtocol.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import { readHubSettings } from '../hubToken.ts';
import { revealFolder } from '../revealFolder.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';

interface Choice extends vscode.QuickPickItem {
  readonly format: ExportFormat;
  readonly dtype: ExportType | null;
}

/** @throws TuneError as the export was refused */
export async function exportRun({ context, exporter }: Services, run: RunReader): Promise<void> {
  requireTrust();
  const source = { run: run.path, hub: await readHubSettings(context.secrets) };
  const sizes = await exporter.measure(source);
  const choice = await vscode.window.showQuickPick(listChoices(sizes), {
    title: vscode.l10n.t('Export {0}', run.name),
    placeHolder: vscode.l10n.t('What is to use it?'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (choice === undefined) return;
  const parent = await askForFolder();
  if (parent === undefined) return;
  const { format, dtype } = choice;
  const out = findFreeFolder(parent, [slug(run.name), format, ...(dtype === null ? [] : [dtype])].join('-'));
  const result = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Exporting {0}', run.name),
      cancellable: true,
    },
    async (progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      const follow = exporter.onDidProgress(({ phase, done, total }) => {
        const share = total > 1 ? ` ${Math.floor((100 * done) / total)} %` : '';
        progress.report({ message: `${phase}${share}` });
      });
      try {
        return await exporter.run({ ...source, format, dtype, out }, controller.signal);
      } catch (error) {
        if (!controller.signal.aborted) throw error;
        return undefined;
      } finally {
        follow.dispose();
      }
    },
  );
  if (result !== undefined) await tellResult(result);
}

function listChoices({ weightCount, adapterBytes }: ExportSizes): Choice[] {
  return exportFormatNames.flatMap(format => {
    const { title, purpose, types, isAdapter } = exportFormats[format];
    if (isAdapter && adapterBytes === null) return [];
    const kinds: readonly (ExportType | null)[] = types.length === 0 ? [null] : types;
    return kinds.map(dtype => {
      const bytes = dtype === null ? (adapterBytes ?? 0) : weightCount * exportTypeBytes[dtype];
      const size = vscode.l10n.t('about {0}', formatBytes(bytes));
      return {
        label: title,
        description: dtype === null ? size : `${dtype} · ${size}`,
        detail: purpose,
        format,
        dtype,
      };
    });
  });
}

async function askForFolder(): Promise<string | undefined> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Folder to put the export in'),
      openLabel: vscode.l10n.t('Export Here'),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  return folder?.fsPath;
}

function findFreeFolder(parent: string, name: string): string {
  for (let number = 1; ; number++) {
    const path = join(parent, number === 1 ? name : `${name}-${number}`);
    if (!existsSync(path)) return path;
  }
}

function slug(name: string): string {
  return name.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'model';
}

async function tellResult({ path, bytes, check, commands }: ExportResult): Promise<void> {
  const reveal = vscode.l10n.t('Reveal');
  const copy = vscode.l10n.t('Copy Command');
  const message = vscode.l10n.t('Exported to {0} ({1}), checked by {2}.', path, formatBytes(bytes), check.tool);
  const chosen = await vscode.window.showInformationMessage(message, reveal, ...(commands.length === 0 ? [] : [copy]));
  if (chosen === reveal) await revealFolder(path);
  if (chosen !== copy) return;
  const items = commands.map(({ label, text }) => ({ label, detail: text }));
  const picked = items.length === 1 ? items[0] : await vscode.window.showQuickPick(items);
  if (picked !== undefined) await vscode.env.clipboard.writeText(picked.detail);
}
