/** @file Who makes the new rows: a language model of the editor, an endpoint with its key, or a model or adapter of this machine. */
import * as vscode from 'vscode';
import type { AugmentTeacher } from '../../shared/augmentProtocol.ts';
import type { Services } from '../services.ts';
import { readSettings } from '../settings.ts';
import { listTuned } from '../views/adaptersView.ts';

const endpointMemory = 'augment.endpoint';
const keyName = (origin: string): string => `tuningFork.teacherKey:${origin}`;

/** Undefined when the user turned away. */
export async function chooseTeacher(services: Services): Promise<AugmentTeacher | undefined> {
  const models = await vscode.lm.selectChatModels();
  const { defaultModel } = readSettings();
  type Item = vscode.QuickPickItem & { choose(): Promise<AugmentTeacher | undefined> };
  const local = (model: string, adapter: string | null, name: string): Item['choose'] => {
    return async () => ({ kind: 'local', model, adapter, name });
  };
  const items: Item[] = [
    ...models.map(({ id, name, vendor }) => ({
      label: name,
      description: vendor,
      detail: vscode.l10n.t('A language model of the editor; it asks for your consent.'),
      choose: async () => ({ kind: 'editor', id, name: `${name} (${vendor})` }) as const,
    })),
    {
      label: vscode.l10n.t('OpenAI-compatible endpoint...'),
      detail: vscode.l10n.t('Any address that speaks the chat protocol, on this machine or another.'),
      choose: () => askForEndpoint(services),
    },
    {
      label: defaultModel,
      detail: vscode.l10n.t('A base model of this machine.'),
      choose: local(defaultModel, null, defaultModel),
    },
    ...listTuned(services.stores).map(run => {
      const model = run.record!.model.id === 'tiny' ? 'tiny' : run.record!.model.path;
      return {
        label: run.name,
        description: run.id,
        detail: vscode.l10n.t('A run of yours, on its base model.'),
        choose: local(model, run.path, `${run.id} on ${run.record!.model.id}`),
      };
    }),
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Teacher: who writes the new rows'),
    matchOnDetail: true,
  });
  return await chosen?.choose();
}

async function askForEndpoint({ context }: Services): Promise<AugmentTeacher | undefined> {
  const before = context.globalState.get<{ baseUrl: string; model: string }>(endpointMemory);
  const baseUrl = await vscode.window.showInputBox({
    title: vscode.l10n.t('Address of the endpoint'),
    prompt: vscode.l10n.t('Up to and with /v1, as http://127.0.0.1:8080/v1'),
    value: before?.baseUrl ?? '',
    ignoreFocusOut: true,
    validateInput: value =>
      /^https?:\/\//i.test(value.trim()) && URL.canParse(value.trim())
        ? undefined
        : vscode.l10n.t('Expected an http or https address.'),
  });
  if (baseUrl === undefined) return undefined;
  const model = await vscode.window.showInputBox({
    title: vscode.l10n.t("The endpoint's name of the model"),
    value: before?.model ?? '',
    ignoreFocusOut: true,
    validateInput: value => (value.trim() === '' ? vscode.l10n.t('Expected a name.') : undefined),
  });
  if (model === undefined) return undefined;
  const { origin } = new URL(baseUrl.trim());
  const apiKey = await readKey(context.secrets, origin);
  if (apiKey === undefined) return undefined;
  await context.globalState.update(endpointMemory, { baseUrl: baseUrl.trim(), model: model.trim() });
  return { kind: 'endpoint', baseUrl: baseUrl.trim(), model: model.trim(), apiKey: apiKey === '' ? null : apiKey };
}

/** Kept for this origin alone; an empty answer keeps none. Undefined when the user turned away. */
async function readKey(secrets: vscode.SecretStorage, origin: string): Promise<string | undefined> {
  const stored = await secrets.get(keyName(origin));
  if (stored !== undefined) return stored;
  const given = await vscode.window.showInputBox({
    title: vscode.l10n.t('Key for {0}', origin),
    prompt: vscode.l10n.t('Kept in the secret storage of the editor and sent there alone; empty where it needs none.'),
    password: true,
    ignoreFocusOut: true,
  });
  if (given === undefined) return undefined;
  await secrets.store(keyName(origin), given.trim());
  return given.trim();
}
