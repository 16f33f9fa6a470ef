/** @file Keys of OpenAI-compatible endpoints: in the editor's secret storage, each with the one server it is for, given to children by pipe. */
import * as vscode from 'vscode';
import { type EndpointKeys, endpointKeysSchema } from '../shared/endpointKeys.ts';

const secretName = 'tuningFork.endpointKeys';

export async function readEndpointKeys(secrets: vscode.SecretStorage): Promise<EndpointKeys> {
  const stored = await secrets.get(secretName);
  return stored === undefined ? [] : (endpointKeysSchema.safeParse(JSON.parse(stored)).data ?? []);
}

/** Asks for a server and its key. */
export async function askForEndpointKey(secrets: vscode.SecretStorage): Promise<void> {
  const address = await vscode.window.showInputBox({
    title: vscode.l10n.t('Address of the endpoint'),
    prompt: vscode.l10n.t('OpenAI-compatible, such as https://host/v1. The key is kept for this server alone.'),
    ignoreFocusOut: true,
    validateInput: value =>
      originOf(value) === undefined ? vscode.l10n.t('Expected an address such as https://host/v1.') : undefined,
  });
  const origin = address === undefined ? undefined : originOf(address);
  if (origin === undefined) return;
  const key = await vscode.window.showInputBox({
    title: vscode.l10n.t('Key for {0}', origin),
    prompt: vscode.l10n.t('Kept in the secret storage of the editor and sent to this server alone.'),
    password: true,
    ignoreFocusOut: true,
    validateInput: value => (/^\S+$/.test(value.trim()) ? undefined : vscode.l10n.t('Expected a key without spaces.')),
  });
  if (key === undefined) return;
  const others = (await readEndpointKeys(secrets)).filter(known => known.origin !== origin);
  await secrets.store(secretName, JSON.stringify([...others, { origin, key: key.trim() }]));
  void vscode.window.showInformationMessage(vscode.l10n.t('The key for {0} is stored.', origin));
}

export async function clearEndpointKeys(secrets: vscode.SecretStorage): Promise<void> {
  await secrets.delete(secretName);
  void vscode.window.showInformationMessage(vscode.l10n.t('The keys of all endpoints are removed.'));
}

function originOf(address: string): string | undefined {
  return /^https?:\/\/[^\s/]/i.test(address) && URL.canParse(address) ? new URL(address).origin : undefined;
}
