/** @file The extension's settings, read anew at each use. */
import * as vscode from 'vscode';
import { defaultMlflowExperiment, defaultWandbProject, type TrackerKind, trackerKinds } from '../shared/trackers.ts';

export interface Settings {
  nodePath: string;
  /** Empty: the environment of our own. */
  pythonPath: string;
  /** Mirrors; empty for the usual ones. */
  pythonIndex: string;
  torchIndex: string;
  runsFolder: string;
  modelFolders: string[];
  hubEndpoint: string;
  hubCache: string;
  memoryLimitBytes: number | null;
  defaultModel: string;
  /** Where new runs are reported. */
  trackers: TrackerKind[];
  tensorboardFolder: string;
  mlflowUri: string;
  mlflowExperiment: string;
  wandbProject: string;
  wandbEntity: string;
  wandbUrl: string;
  /** Of the server; 0 takes one that is free. */
  serverPort: number;
  /** What becomes of runs when the last window closes. */
  onWindowClose: 'keepTraining' | 'pause';
}

const bytesPerGigabyte = 1024 ** 3;

export function readSettings(scope?: vscode.Uri): Settings {
  const configuration = vscode.workspace.getConfiguration('tuningFork', scope);
  const text = (name: string) => configuration.get<string>(name, '').trim();
  const gigabytes = configuration.get<number | null>('memoryLimit', null);
  return {
    nodePath: text('nodePath'),
    pythonPath: text('pythonPath'),
    pythonIndex: text('pythonIndex'),
    torchIndex: text('torchIndex'),
    runsFolder: text('runsFolder'),
    modelFolders: configuration.get<string[]>('modelFolders', []).filter(folder => typeof folder === 'string'),
    hubEndpoint: text('hubEndpoint'),
    hubCache: text('hubCache'),
    memoryLimitBytes: typeof gigabytes === 'number' && gigabytes > 0 ? Math.round(gigabytes * bytesPerGigabyte) : null,
    defaultModel: text('defaultModel') || 'tiny',
    trackers: trackerKinds.filter(kind => configuration.get<unknown[]>('trackers', []).includes(kind)),
    tensorboardFolder: text('tensorboardFolder'),
    mlflowUri: text('mlflowUri'),
    mlflowExperiment: text('mlflowExperiment') || defaultMlflowExperiment,
    wandbProject: text('wandbProject') || defaultWandbProject,
    wandbEntity: text('wandbEntity'),
    wandbUrl: text('wandbUrl'),
    serverPort: configuration.get<number>('serverPort', 0),
    onWindowClose: text('onWindowClose') === 'pause' ? 'pause' : 'keepTraining',
  };
}
