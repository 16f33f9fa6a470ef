/** @file The parts of the extension that commands, views and panels share. */
import type * as vscode from 'vscode';
import type { DatasetCalls, DatasetEvents } from '../shared/datasetProtocol.ts';
import type { AugmentClient } from './augment/augmentClient.ts';
import type { InferenceClient } from './compare/inferenceClient.ts';
import type { CleaningPreviews } from './dataset/cleaningPreviews.ts';
import type { DatasetFindings } from './dataset/datasetFindings.ts';
import type { ExporterClient } from './exports/exporterClient.ts';
import type { FormController } from './form/formController.ts';
import type { ChildPrograms } from './processes/childPrograms.ts';
import type { RpcProcess } from './processes/rpcProcess.ts';
import type { AnswerDocuments } from './prompts/answerDocuments.ts';
import type { PythonClient } from './python/pythonClient.ts';
import type { DatasetFreshness } from './runs/datasetFreshness.ts';
import type { RunControls } from './runs/runControls.ts';
import type { RunReader } from './runs/runReader.ts';
import type { RunStores } from './runs/runStores.ts';
import type { ModelServer } from './server/modelServer.ts';

export interface Services {
  context: vscode.ExtensionContext;
  log: vscode.LogOutputChannel;
  children: ChildPrograms;
  stores: RunStores;
  controls: RunControls;
  freshness: DatasetFreshness;
  findings: DatasetFindings;
  previews: CleaningPreviews;
  answers: AnswerDocuments;
  dataset: RpcProcess<DatasetCalls, DatasetEvents>;
  augment: AugmentClient;
  inference: InferenceClient;
  python: PythonClient;
  exporter: ExporterClient;
  server: ModelServer;
  form: FormController;
  runPanels: { open(run: RunReader): void };
  comparePanels: {
    /** Asks `prompt` at once when there is one. @throws TuneError `untrusted-workspace`, `adapter-invalid` */
    open(run: RunReader, prompt?: string, column?: vscode.ViewColumn): Promise<void>;
  };
}
