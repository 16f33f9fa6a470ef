/** @file Start Server and Stop Server: an OpenAI-compatible endpoint on this machine for a base model and its adapters. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { nameApart, nameServedModel, type ServerOrder, serverDefaults } from '../../shared/serverProtocol.ts';
import { baseOf, listAdapters, modelLabel } from '../compare/comparePanels.ts';
import { readHubSettings } from '../hubToken.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { readSettings } from '../settings.ts';
import { requireTrust } from '../trust.ts';
import { listTuned } from '../views/adaptersView.ts';

const secretName = 'tuningFork.serverKey';

/** @throws TuneError `untrusted-workspace`, and as the server refuses to start */
export async function startServer(services: Services): Promise<void> {
  requireTrust();
  const { server, context } = services;
  if (server.state.kind === 'on') return await showServer(services);
  const models = await chooseModels(listTuned(services.stores));
  if (models === undefined) return;
  const order: ServerOrder = {
    ...models,
    key: await readKey(context.secrets),
    port: readSettings().serverPort,
    hub: await readHubSettings(context.secrets),
    weights: 'stored',
    temperature: 0,
    maxTokens: null,
    maxRows: serverDefaults.maxRows,
    maxWaiting: serverDefaults.maxWaiting,
  };
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Starting the server for {0}', models.modelId),
    cancellable: true,
  };
  const address = await vscode.window.withProgress(options, async (progress, token) => {
    const abort = new AbortController();
    const subscriptions = [
      token.onCancellationRequested(() => abort.abort()),
      server.onDidChange(() => {
        if (server.state.kind === 'starting') progress.report({ message: server.state.phase });
      }),
    ];
    try {
      return await server.start(order, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) return undefined;
      throw error;
    } finally {
      for (const subscription of subscriptions) subscription.dispose();
    }
  });
  if (address === undefined) return;
  for (const remark of address.remarks) services.log.warn(remark);
  const message = vscode.l10n.t(
    'Serving {0} at {1}. The item in the status bar copies address and key.',
    address.models.join(', '),
    address.baseUrl,
  );
  void vscode.window.showInformationMessage(message);
}

export async function stopServer({ server }: Services): Promise<void> {
  await server.stop();
}

/** Where it answers, and what to do with that. */
export async function showServer({ server, log }: Services): Promise<void> {
  const { state } = server;
  if (state.kind !== 'on') return;
  const { baseUrl, models } = state.address;
  const actions: Readonly<Record<string, () => unknown>> = {
    [vscode.l10n.t('Copy Address')]: () => vscode.env.clipboard.writeText(baseUrl),
    [vscode.l10n.t('Copy Key')]: () => vscode.env.clipboard.writeText(state.key),
    [vscode.l10n.t('Stop Server')]: () => server.stop(),
    [vscode.l10n.t('Show Output')]: () => log.show(),
  };
  const title = vscode.l10n.t('Serving {0} at {1}', models.join(', '), baseUrl);
  const chosen = await vscode.window.showQuickPick(Object.keys(actions), { title });
  if (chosen !== undefined) await actions[chosen]?.();
}

/** Of this user, on this machine: clients keep it in their settings. */
async function readKey(secrets: vscode.SecretStorage): Promise<string> {
  const known = await secrets.get(secretName);
  if (known !== undefined) return known;
  const key = `tf-${randomBytes(24).toString('base64url')}`;
  await secrets.store(secretName, key);
  return key;
}

/** The base of the tuned runs, one picked where there are several, with all adapters on it; else the default model alone. */
async function chooseModels(
  tuned: readonly RunReader[],
): Promise<Pick<ServerOrder, 'model' | 'modelId' | 'adapters'> | undefined> {
  const bases = new Map(tuned.map(run => [baseOf(run), modelLabel(run)]));
  if (bases.size === 0) {
    const model = readSettings().defaultModel;
    return { model, modelId: nameServedModel(model), adapters: [] };
  }
  const items = [...bases].map(([base, label]) => ({ label, base }));
  const placeHolder = vscode.l10n.t('Base model to serve, with its adapters');
  const base = items.length === 1 ? items[0] : await vscode.window.showQuickPick(items, { placeHolder });
  if (base === undefined) return undefined;
  const adapters = listAdapters(tuned, base.base);
  const { model } = adapters[0]!;
  const modelId = nameServedModel(model);
  const ids = nameApart(
    adapters.map(({ name, run }) => ({ name, id: run.split(/[\\/]/).at(-1)! })),
    [modelId],
  );
  return {
    model,
    modelId,
    adapters: adapters.map(({ run }, i) => ({ id: ids[i]!, paths: [run], isRequired: false })),
  };
}
