/** @file Commands on pipeline files: run, or train anew from a stage on. */
import * as vscode from 'vscode';
import { TuneError } from '../../shared/errors.ts';
import type { PipelineRequest } from '../../shared/pipeline.ts';
import { isPipeline, toRange } from '../pipeline/pipelineDocuments.ts';
import type { Services } from '../services.ts';
import { startRun } from '../startRun.ts';
import { requireTrust } from '../trust.ts';

/** From a CodeLens or a context menu: the file; from the Command Palette: the active editor's. */
export async function runPipeline(services: Services, argument: unknown): Promise<void> {
  const document = await openPipeline(argument);
  if (document !== undefined) await start(services, document, null);
}

/** From a CodeLens or the run's page; from the Command Palette the stage is picked. */
export async function restartPipeline(services: Services, argument: unknown): Promise<void> {
  const { file, stage } = (argument ?? {}) as { file?: unknown; stage?: unknown };
  const document = await openPipeline(typeof file === 'string' ? vscode.Uri.file(file) : argument);
  if (document === undefined) return;
  const chosen = typeof stage === 'string' ? stage : await pickStage(services, document);
  if (chosen !== undefined) await start(services, document, chosen);
}

async function start(services: Services, document: vscode.TextDocument, restartFrom: string | null): Promise<void> {
  requireTrust();
  // What is typed but not saved would not be what the run's record names.
  if (document.isDirty) await document.save();
  const request = await readPipeline(services, document);
  const accepted = await startRun(services, { ...request, restartFrom });
  await services.stores.refresh();
  const run = services.stores.findAccepted(accepted);
  if (run !== undefined) services.runPanels.open(run);
}

/** @throws TuneError `usage` naming the first problem, which is shown */
async function readPipeline(services: Services, document: vscode.TextDocument): Promise<PipelineRequest> {
  const path = document.uri.fsPath;
  const { request, problems } = await services.dataset.call('pipeline/check', { path, text: document.getText() });
  const problem = problems.find(({ severity }) => severity === 'error');
  if (request !== null && problem === undefined) return request;
  if (problem !== undefined) await vscode.window.showTextDocument(document, { selection: toRange(problem.range) });
  const place = problem === undefined ? path : `${path}:${problem.range.line}`;
  throw new TuneError('usage', `${place}: ${problem?.message ?? vscode.l10n.t('expected a pipeline, got none')}`, {
    hint: problem?.hint,
  });
}

async function pickStage(services: Services, document: vscode.TextDocument): Promise<string | undefined> {
  const { stages } = await readPipeline(services, document);
  return await vscode.window.showQuickPick(
    stages.map(({ name }) => name),
    { placeHolder: vscode.l10n.t('Train this stage and all after it anew') },
  );
}

async function openPipeline(argument: unknown): Promise<vscode.TextDocument | undefined> {
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  if (uri !== undefined && isPipeline({ uri })) return await vscode.workspace.openTextDocument(uri);
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Pipeline to run'),
    filters: { [vscode.l10n.t('Pipelines')]: ['yaml', 'yml', 'json'] },
  });
  const [file] = chosen ?? [];
  if (file === undefined) return undefined;
  if (isPipeline({ uri: file })) return await vscode.workspace.openTextDocument(file);
  throw new TuneError(
    'usage',
    vscode.l10n.t('{0}: expected a file named *.pipeline.yaml or *.pipeline.json, got another.', file.path),
  );
}
