/** @file "Augment Dataset...": method, teacher and amount are chosen, some rows shown, and only then a new file is made. */
import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import * as vscode from 'vscode';
import {
  type AugmentationMethodName,
  type AugmentationRecipe,
  augmentationHelp,
  augmentationMethodNames,
  augmentationRecipeSchema,
} from '../../shared/augmentation.ts';
import type { AugmentOrder } from '../../shared/augmentProtocol.ts';
import { describeDropped, writeAugmentationPage } from '../augment/augmentationPage.ts';
import { chooseTeacher } from '../augment/chooseTeacher.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { askForDataset } from './datasetCommands.ts';

const previewRows = 3;
const documentExtensions = ['md', 'markdown', 'txt', 'html', 'htm', 'pdf'];

export async function augmentDataset(services: Services, argument: unknown): Promise<void> {
  requireTrust();
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  const path = uri?.scheme === 'file' ? uri.fsPath : await askForDataset();
  if (path === undefined) return;
  const order = await chooseOrder(services, path);
  if (order === undefined) return;
  const name = basename(path);
  const preview = await run(services, vscode.l10n.t('Preview of new rows for {0}', name), {
    ...order,
    rows: Math.min(order.rows, previewRows),
    isPreview: true,
  });
  if (preview === undefined) return;
  const pageName = `${name} new rows`;
  const write = () => makeRows(services, name, pageName, order);
  await services.previews.show(pageName, writeAugmentationPage(name, preview), write);
  const [make, discard] = [vscode.l10n.t('Make {0} Rows', order.rows), vscode.l10n.t('Discard')];
  const text = vscode.l10n.t('{0}: {1} new rows as a preview.', name, preview.counts.kept);
  const chosen = await vscode.window.showInformationMessage(text, make, discard);
  if (chosen === make) await write();
  if (chosen !== discard) return;
  services.previews.withdraw(pageName);
  await services.augment.call('augment/discard', { out: order.out });
}

async function makeRows(services: Services, name: string, pageName: string, order: AugmentOrder): Promise<void> {
  services.previews.withdraw(pageName);
  const result = await run(services, vscode.l10n.t('New rows for {0}', name), order);
  if (result?.path == null) return;
  await vscode.window.showTextDocument(vscode.Uri.file(result.path));
  const dropped = describeDropped(result.counts);
  const made =
    dropped === ''
      ? vscode.l10n.t('{0}: {1} new rows.', basename(result.path), result.counts.kept)
      : vscode.l10n.t('{0}: {1} new rows; not taken: {2}.', basename(result.path), result.counts.kept, dropped);
  const broken = vscode.l10n.t('Rows that cannot be read and are left out: {0}.', result.brokenRows);
  void vscode.window.showInformationMessage(result.brokenRows === 0 ? made : `${made} ${broken}`);
}

async function chooseOrder(services: Services, path: string): Promise<AugmentOrder | undefined> {
  const isDocument = documentExtensions.includes(extname(path).slice(1).toLowerCase());
  const method = isDocument ? 'questions' : await chooseMethod();
  if (method === undefined) return undefined;
  const documents = method !== 'questions' ? [] : isDocument ? [path] : await chooseDocuments(path);
  if (documents === undefined) return undefined;
  const teacher = await chooseTeacher(services);
  if (teacher === undefined) return undefined;
  const rows = await askForRows();
  if (rows === undefined) return undefined;
  const recipe: AugmentationRecipe = augmentationRecipeSchema.parse({ methods: [{ method }] });
  return {
    dataset: isDocument ? null : path,
    documents,
    recipe,
    rows,
    teacher,
    out: findFreeFile(path, isDocument ? 'questions' : 'augmented'),
    isPreview: false,
  };
}

async function chooseMethod(): Promise<AugmentationMethodName | undefined> {
  const items = augmentationMethodNames.map(label => ({ label, detail: augmentationHelp[label] }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('How new rows are made'),
    placeHolder: vscode.l10n.t('Nothing is written before you have seen some of them'),
    matchOnDetail: true,
  });
  return chosen?.label;
}

async function chooseDocuments(dataset: string): Promise<string[] | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Documents to ask about'),
    openLabel: vscode.l10n.t('Use Documents'),
    canSelectMany: true,
    canSelectFolders: true,
    canSelectFiles: true,
    defaultUri: vscode.Uri.file(dirname(dataset)),
    filters: { [vscode.l10n.t('Documents')]: documentExtensions },
  });
  return chosen === undefined || chosen.length === 0 ? undefined : chosen.map(({ fsPath }) => fsPath);
}

async function askForRows(): Promise<number | undefined> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('How many new rows'),
    prompt: vscode.l10n.t(
      'At most; fewer come where copies are dropped, or half of the training rows would be synthetic.',
    ),
    value: '100',
    ignoreFocusOut: true,
    validateInput: value =>
      /^[1-9]\d{0,6}$/.test(value.trim()) ? undefined : vscode.l10n.t('Expected a whole number from 1 to 9999999.'),
  });
  return text === undefined ? undefined : Number(text);
}

/** Beside its source; one whose answers are half there is gone on with. */
function findFreeFile(path: string, kind: string): string {
  const stem = join(dirname(path), basename(path).replace(/(?:\.[a-z0-9]+)?(?:\.gz)?$/i, ''));
  for (let number = 1; ; number++) {
    const file = `${stem}.${kind}${number === 1 ? '' : `-${number}`}.jsonl`;
    if (!existsSync(file)) return file;
  }
}

/** Undefined when it was cancelled; what was answered until then is kept. */
async function run(services: Services, title: string, order: AugmentOrder) {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    let shown = 0;
    const following = services.augment.onDidProgress(({ done, total }) => {
      const percent = total === 0 ? 0 : (100 * done) / total;
      progress.report({ message: `${done}/${total}`, increment: Math.max(0, percent - shown) });
      shown = Math.max(shown, percent);
    });
    try {
      return await services.augment.call('augment/run', order, controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    } finally {
      following.dispose();
    }
  });
}
