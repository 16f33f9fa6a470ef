/** @file Keys of trackers: kept in the editor's secret storage, each with the one server it is for, given to children by pipe. */
import * as vscode from 'vscode';
import { originOf, type TrackerKeys, trackerLabels, wandbPublicServer } from '../../shared/trackers.ts';
import { readSettings } from '../settings.ts';

const secretNames = { mlflow: 'tuningFork.mlflowToken', wandb: 'tuningFork.wandbKey' } as const;
type KeyedTracker = keyof typeof secretNames;

interface StoredKey {
  origin: string;
  secret: string;
}

export async function readTrackerKeys(secrets: vscode.SecretStorage): Promise<TrackerKeys> {
  const [mlflow, wandb] = [await readKey(secrets, 'mlflow'), await readKey(secrets, 'wandb')];
  return {
    ...(mlflow === undefined ? {} : { mlflow: { origin: mlflow.origin, token: mlflow.secret } }),
    ...(wandb === undefined ? {} : { wandb: { origin: wandb.origin, key: wandb.secret } }),
  };
}

export async function askForTrackerKey(secrets: vscode.SecretStorage, tracker: KeyedTracker): Promise<void> {
  const label = trackerLabels[tracker];
  const server = findServer(tracker);
  if (server === undefined) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('Name the server first, in the setting "tuningFork.mlflowUri": the key is kept for it alone.'),
    );
    return;
  }
  const secret = await vscode.window.showInputBox({
    title: vscode.l10n.t('{0}: key for {1}', label, server),
    prompt: vscode.l10n.t('Kept in the secret storage of the editor and sent to this server alone.'),
    password: true,
    ignoreFocusOut: true,
    validateInput: value => (/^\S+$/.test(value.trim()) ? undefined : vscode.l10n.t('Expected a key without spaces.')),
  });
  if (secret === undefined) return;
  const stored: StoredKey = { origin: server, secret: secret.trim() };
  await secrets.store(secretNames[tracker], JSON.stringify(stored));
  void vscode.window.showInformationMessage(vscode.l10n.t('The key for {0} is stored.', label));
}

export async function clearTrackerKey(secrets: vscode.SecretStorage, tracker: KeyedTracker): Promise<void> {
  await secrets.delete(secretNames[tracker]);
  void vscode.window.showInformationMessage(vscode.l10n.t('The key for {0} is removed.', trackerLabels[tracker]));
}

async function readKey(secrets: vscode.SecretStorage, tracker: KeyedTracker): Promise<StoredKey | undefined> {
  const stored = await secrets.get(secretNames[tracker]);
  return stored === undefined ? undefined : (JSON.parse(stored) as StoredKey);
}

function findServer(tracker: KeyedTracker): string | undefined {
  const { mlflowUri, wandbUrl } = readSettings();
  const address = tracker === 'mlflow' ? mlflowUri : wandbUrl || wandbPublicServer;
  return URL.canParse(address) ? originOf(address) : undefined;
}
