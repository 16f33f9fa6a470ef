/** @file What a person asks of a run's trackers: report there, look there, catch up, upload. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { fromWireError, TuneError } from '../../shared/errors.ts';
import { runNames } from '../../shared/runFolder.ts';
import {
  type TrackerCommand,
  type TrackerKind,
  type TrackerReply,
  trackerLabels,
  trackersFileSchema,
} from '../../shared/trackers.ts';
import { askChild } from '../processes/askChild.ts';
import { revealFolder } from '../revealFolder.ts';
import { readJsonFile } from '../runs/readJsonFile.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { readSettings } from '../settings.ts';
import { requireTrust } from '../trust.ts';
import { readTrackerReport } from './readTrackerLines.ts';
import { readTrackerKeys } from './trackerKeys.ts';
import { findTarget, findTargets, listTrackerChoices } from './trackerTargets.ts';

type Teller = Pick<Services, 'context' | 'children'>;

const answerTimeoutMs = 60_000;
const uploadTimeoutMs = 60 * 60_000;

/** Asks where, and reports the run there. */
export async function reportRun(services: Teller, run: RunReader): Promise<void> {
  requireTrust();
  const settings = readSettings();
  const items = listTrackerChoices([], settings).map(choice => ({
    label: trackerLabels[choice.kind],
    detail: choice.detail,
    choice,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: vscode.l10n.t('Report "{0}" to', run.name),
    canPickMany: true,
  });
  if (picked === undefined || picked.length === 0) return;
  const unready = picked.find(item => !item.choice.isReady);
  if (unready !== undefined)
    throw new TuneError('usage', `${unready.label}: expected a place, got none`, { hint: unready.detail });
  const kinds = picked.map(item => item.choice.kind);
  await tell(services, {
    type: 'report',
    run: run.path,
    kinds,
    named: findTargets(kinds, settings),
    ...(await orders(services)),
  });
}

/** Starts a process where none delivers. What the settings name counts as named; what the folder names does not. */
export async function catchUp(services: Teller, run: RunReader, kind: TrackerKind): Promise<void> {
  requireTrust();
  const file = await readJsonFile(join(run.path, runNames.trackersFile), trackersFileSchema);
  const mine = findTarget(kind, readSettings());
  const same = file?.targets.filter(target => JSON.stringify(target) === JSON.stringify(mine)) ?? [];
  await tell(services, { type: 'report', run: run.path, kinds: [kind], named: same, ...(await orders(services)) });
}

/** Uploads the offline run and opens its page. */
export async function syncRun(services: Teller, run: RunReader): Promise<void> {
  requireTrust();
  const title = vscode.l10n.t('Uploading "{0}" to Weights & Biases', run.name);
  const command = { type: 'sync', run: run.path, ...(await orders(services)) } as const;
  const reply = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    tell(services, command, uploadTimeoutMs),
  );
  const open = vscode.l10n.t('Open');
  const link = reply.type === 'synced' ? reply.link : null;
  const done = vscode.l10n.t('"{0}" is uploaded to Weights & Biases.', run.name);
  const chosen = await vscode.window.showInformationMessage(done, ...(isPage(link) ? [open] : []));
  if (chosen === open && isPage(link)) await vscode.env.openExternal(vscode.Uri.parse(link, true));
}

/** A page in the browser, TensorBoard's command in a terminal (to be confirmed there), or the folder. */
export async function openTracker(run: RunReader, kind: TrackerKind): Promise<void> {
  const report = await readTrackerReport(run.path, kind);
  const page = report?.memory.page ?? report?.link ?? null;
  if (isPage(page)) {
    await vscode.env.openExternal(vscode.Uri.parse(page, true));
  } else if (kind === 'tensorboard' && report !== undefined) {
    const folder = report.target.kind === 'tensorboard' ? (report.target.folder ?? run.path) : run.path;
    const terminal = vscode.window.createTerminal({ name: 'TensorBoard', cwd: folder });
    terminal.show();
    // Not run by itself: which Python has TensorBoard is the user's to say.
    terminal.sendText('tensorboard --logdir .', false);
  } else if (kind === 'wandb') {
    await revealFolder(join(run.path, runNames.wandb));
  }
}

async function orders({ context }: Teller): Promise<Pick<TrackerCommand, 'keys' | 'python'>> {
  return { keys: await readTrackerKeys(context.secrets), python: readSettings().pythonPath || null };
}

async function tell({ children }: Teller, command: TrackerCommand, timeoutMs = answerTimeoutMs): Promise<TrackerReply> {
  const reply = await askChild<TrackerReply>(await children.prepare('tracker'), command, timeoutMs);
  if (reply.type === 'refused') throw fromWireError(reply.error);
  return reply;
}

function isPage(link: unknown): link is string {
  return typeof link === 'string' && /^https?:\/\//.test(link);
}
