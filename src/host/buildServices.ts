/** @file Builds the parts of the extension and wires them to each other. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { DatasetCalls, DatasetEvents } from '../shared/datasetProtocol.ts';
import type { TuneError } from '../shared/errors.ts';
import type { ExportCalls, ExportEvents } from '../shared/exportProtocol.ts';
import type { HubSettings } from '../shared/hubSettings.ts';
import type { PythonCalls, PythonEvents } from '../shared/pythonProtocol.ts';
import type { Calls, EventHandlers, Events, RpcPeer } from '../shared/rpc.ts';
import { AugmentClient } from './augment/augmentClient.ts';
import { ComparePanels } from './compare/comparePanels.ts';
import { InferenceClient } from './compare/inferenceClient.ts';
import { CleaningPreviews } from './dataset/cleaningPreviews.ts';
import { DatasetFindings } from './dataset/datasetFindings.ts';
import { ExporterClient } from './exports/exporterClient.ts';
import { FormController } from './form/formController.ts';
import { makeFormServices } from './form/formServices.ts';
import { readHubSettings } from './hubToken.ts';
import { RunPanels } from './panels/runPanels.ts';
import { ChildPrograms } from './processes/childPrograms.ts';
import { endProcessTree } from './processes/endProcessTree.ts';
import { requireEngine } from './processes/platformSupport.ts';
import { ProcessVerifier } from './processes/processIdentity.ts';
import { RpcProcess } from './processes/rpcProcess.ts';
import { AnswerDocuments } from './prompts/answerDocuments.ts';
import { PythonClient } from './python/pythonClient.ts';
import { DatasetFreshness } from './runs/datasetFreshness.ts';
import { RunControls } from './runs/runControls.ts';
import { RunStores } from './runs/runStores.ts';
import { ModelServer } from './server/modelServer.ts';
import type { Services } from './services.ts';
import { readSettings } from './settings.ts';
import { leaveQueue, resumeRun } from './startRun.ts';

const datasetIdleMs = 3 * 60_000;
const pythonIdleMs = 60_000;
const exporterIdleMs = 30_000;
const inferenceIdleMs = 10 * 60_000;

export interface BuiltServices extends Services {
  runPanels: RunPanels;
  comparePanels: ComparePanels;
}

export function buildServices(context: vscode.ExtensionContext): BuiltServices {
  const log = vscode.window.createOutputChannel('Tuning Fork', { log: true });
  const children = buildChildren(context, log);
  const verifier = new ProcessVerifier();
  const openProcess = <Called extends Calls & GreetedCalls, Received extends Events>(
    name: 'dataset' | 'inference',
    idleMs: number,
    events: EventHandlers<Received>,
  ) =>
    new RpcProcess<Called, Received>({
      answers: {},
      name,
      idleMs,
      prepare: async () => {
        if (name === 'inference') requireEngine();
        return await children.prepare(name);
      },
      greet: async peer => greet(peer, await readHubSettings(context.secrets)),
      events,
      log: line => log.info(line),
      onGivenUp: error => void tellGivenUp(log, error),
    });

  const openPython = (events: EventHandlers<PythonEvents>) =>
    new RpcProcess<PythonCalls, PythonEvents>({
      answers: {},
      name: 'python',
      idleMs: pythonIdleMs,
      prepare: () => children.prepare('python'),
      greet: async () => undefined,
      events,
      log: line => log.info(line),
      onGivenUp: error => void tellGivenUp(log, error),
    });

  const openExporter = (events: EventHandlers<ExportEvents>) =>
    new RpcProcess<ExportCalls, ExportEvents>({
      answers: {},
      name: 'exporter',
      idleMs: exporterIdleMs,
      prepare: () => {
        requireEngine();
        return children.prepare('exporter');
      },
      greet: async () => undefined,
      events,
      log: line => log.info(line),
      onGivenUp: error => void tellGivenUp(log, error),
    });

  const services: BuiltServices = {
    context,
    log,
    children,
    stores: new RunStores(
      (run, identity) => verifier.isAlive(run, identity),
      error => log.error(String(error)),
    ),
    controls: new RunControls({
      resume: async run => void (await resumeRun(services, run)),
      leaveQueue: run => leaveQueue(services, run),
      endTree: (run, identity) => endProcessTree(run, identity, verifier),
      wait: ms => wait(ms),
      now: Date.now,
      log: line => log.info(line),
    }),
    freshness: new DatasetFreshness(workspacePaths, error => log.warn(String(error))),
    findings: new DatasetFindings(),
    previews: new CleaningPreviews(),
    answers: new AnswerDocuments(),
    dataset: openProcess<DatasetCalls, DatasetEvents>('dataset', datasetIdleMs, {
      'dataset/progress': () => undefined,
    }),
    augment: new AugmentClient({
      prepare: () => children.prepare('augment'),
      readHub: () => readHubSettings(context.secrets),
      log: line => log.info(line),
      onGivenUp: error => void tellGivenUp(log, error),
    }),
    inference: new InferenceClient(events => openProcess('inference', inferenceIdleMs, events)),
    exporter: new ExporterClient(openExporter),
    python: new PythonClient(openPython, () => {
      const { pythonIndex, torchIndex } = readSettings();
      return { build: null, packageIndex: pythonIndex || null, torchIndex: torchIndex || null };
    }),
    server: new ModelServer({
      prepare: () => {
        requireEngine();
        return children.prepare('server');
      },
      log: line => log.info(line),
      onLost: error => void tellGivenUp(log, error),
    }),
    form: new FormController(makeFormServices(context, () => services)),
    runPanels: new RunPanels(() => services),
    comparePanels: new ComparePanels(() => services),
  };
  context.subscriptions.push(
    log,
    services.stores,
    services.freshness,
    services.findings,
    services.previews,
    services.answers,
    services.dataset,
    services.inference,
    services.augment,
    services.python,
    services.exporter,
    services.server,
    services.form,
  );
  return services;
}

type GreetedCalls = { 'hub/configure': { parameters: HubSettings; result: null } };

async function greet<Called extends Calls, Received extends Events>(
  peer: RpcPeer<Called, Record<string, never>, Record<string, never>, Received>,
  hub: HubSettings,
): Promise<void> {
  await peer.call('hub/configure', hub);
}

function buildChildren(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): ChildPrograms {
  const workingFolder = context.globalStorageUri.fsPath;
  mkdirSync(workingFolder, { recursive: true });
  return new ChildPrograms({
    programFolder: join(context.extensionPath, 'dist'),
    workingFolder,
    nodeSetting: () => readSettings().nodePath,
    pythonSetting: () => readSettings().pythonPath,
    workspaceFolders: workspacePaths,
    log: line => log.info(line),
    noticeElectron: () => {
      void vscode.window.showInformationMessage(
        vscode.l10n.t(
          'No Node.js 20 or newer was found, so training runs on the editor’s own runtime, which suits small models. Install Node.js or set "tuningFork.nodePath" for larger ones.',
        ),
      );
    },
  });
}

function workspacePaths(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(f => f.uri.scheme === 'file').map(f => f.uri.fsPath);
}

async function tellGivenUp(log: vscode.LogOutputChannel, error: TuneError): Promise<void> {
  const showLog = vscode.l10n.t('Show Output');
  if ((await vscode.window.showErrorMessage(error.message, showLog)) === showLog) log.show(true);
}
