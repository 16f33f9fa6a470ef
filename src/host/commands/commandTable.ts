/** @file Every command of the extension: its id and what it does. */
import { askForEndpointKey, clearEndpointKeys } from '../endpointKeys.ts';
import { askForHubToken, clearHubToken } from '../hubToken.ts';
import { runPrompt, runPromptWith } from '../prompts/promptCommands.ts';
import { exportJob } from '../python/exportJob.ts';
import { setUpPyTorch } from '../python/setUpPyTorch.ts';
import { showServer, startServer, stopServer } from '../server/serverCommands.ts';
import type { Services } from '../services.ts';
import { askForTrackerKey, clearTrackerKey } from '../trackers/trackerKeys.ts';
import { openTrust } from '../trust.ts';
import { augmentDataset } from './augmentCommands.ts';
import { checkDataset, cleanDataset, openDataset } from './cleaningCommands.ts';
import { fineTune, fineTuneWithFile } from './datasetCommands.ts';
import { compareWithLastRun } from './driftCommands.ts';
import { judgeAdapter } from './judgeAdapter.ts';
import { restartPipeline, runPipeline } from './pipelineCommands.ts';
import {
  checkpointRun,
  compareRun,
  deleteRunCommand,
  exportRunCommand,
  openRun,
  pauseRun,
  renameRun,
  reportRunCommand,
  resumeRunCommand,
  revealRun,
  runAgain,
  showRunLog,
  stopRun,
} from './runCommands.ts';
import { fineTuneWithSample } from './sampleDataset.ts';
import { testPrompt, testSelection } from './testSelection.ts';

export type Command = (services: Services, argument: unknown) => unknown;

export const commandTable: Readonly<Record<string, Command>> = {
  'tuningFork.fineTune': fineTune,
  'tuningFork.fineTuneWithFile': fineTuneWithFile,
  'tuningFork.fineTuneWithSample': fineTuneWithSample,
  'tuningFork.dataset.open': openDataset,
  'tuningFork.dataset.check': checkDataset,
  'tuningFork.dataset.clean': cleanDataset,
  'tuningFork.dataset.writeShown': ({ previews }) => previews.write(),
  'tuningFork.dataset.augment': augmentDataset,
  'tuningFork.dataset.drift': compareWithLastRun,
  'tuningFork.testSelection': testSelection,
  'tuningFork.pipeline.run': runPipeline,
  'tuningFork.pipeline.restart': restartPipeline,
  'tuningFork.run.open': openRun,
  'tuningFork.run.pause': pauseRun,
  'tuningFork.run.resume': resumeRunCommand,
  'tuningFork.run.stop': stopRun,
  'tuningFork.run.checkpoint': checkpointRun,
  'tuningFork.run.again': runAgain,
  'tuningFork.run.rename': renameRun,
  'tuningFork.run.reveal': revealRun,
  'tuningFork.run.showLog': showRunLog,
  'tuningFork.run.delete': deleteRunCommand,
  'tuningFork.run.compare': compareRun,
  'tuningFork.run.export': exportRunCommand,
  'tuningFork.run.judge': judgeAdapter,
  'tuningFork.adapter.test': testPrompt,
  'tuningFork.prompt.run': runPrompt,
  'tuningFork.prompt.runWith': runPromptWith,
  'tuningFork.server.start': startServer,
  'tuningFork.server.stop': stopServer,
  'tuningFork.server.show': showServer,
  'tuningFork.refresh': ({ stores }) => stores.refresh(),
  'tuningFork.run.report': reportRunCommand,
  'tuningFork.setMlflowToken': ({ context }) => askForTrackerKey(context.secrets, 'mlflow'),
  'tuningFork.clearMlflowToken': ({ context }) => clearTrackerKey(context.secrets, 'mlflow'),
  'tuningFork.setWandbKey': ({ context }) => askForTrackerKey(context.secrets, 'wandb'),
  'tuningFork.clearWandbKey': ({ context }) => clearTrackerKey(context.secrets, 'wandb'),
  'tuningFork.setHubToken': ({ context }) => askForHubToken(context.secrets),
  'tuningFork.clearHubToken': ({ context }) => clearHubToken(context.secrets),
  'tuningFork.setEndpointKey': ({ context }) => askForEndpointKey(context.secrets),
  'tuningFork.clearEndpointKeys': ({ context }) => clearEndpointKeys(context.secrets),
  'tuningFork.exportJob': exportJob,
  'tuningFork.setUpPyTorch': setUpPyTorch,
  'tuningFork.showOutput': ({ log }) => log.show(),
  'tuningFork.manageTrust': openTrust,
};
