/** @file The Hub token: kept in the editor's secret storage, given to child processes through their channel alone. */
import * as vscode from 'vscode';
import type { HubSettings } from '../shared/hubSettings.ts';
import { readSettings } from './settings.ts';

export const hubTokenSecret = 'tuningFork.hubToken';

export async function readHubSettings(secrets: vscode.SecretStorage): Promise<HubSettings> {
  const { hubEndpoint, hubCache } = readSettings();
  const token = await secrets.get(hubTokenSecret);
  return { endpoint: hubEndpoint || null, cache: hubCache || null, token: token ?? null };
}

export async function askForHubToken(secrets: vscode.SecretStorage): Promise<void> {
  const token = await vscode.window.showInputBox({
    title: vscode.l10n.t('Hugging Face access token'),
    prompt: vscode.l10n.t('Kept in the secret storage of the editor; needed for gated models only.'),
    password: true,
    ignoreFocusOut: true,
    validateInput: value =>
      /^\S+$/.test(value.trim()) ? undefined : vscode.l10n.t('Expected a token without spaces.'),
  });
  if (token === undefined) return;
  await secrets.store(hubTokenSecret, token.trim());
  void vscode.window.showInformationMessage(vscode.l10n.t('The Hub token is stored.'));
}

export async function clearHubToken(secrets: vscode.SecretStorage): Promise<void> {
  await secrets.delete(hubTokenSecret);
  void vscode.window.showInformationMessage(vscode.l10n.t('The Hub token is removed.'));
}
