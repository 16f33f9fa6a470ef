/** @file The dataset that ships with the extension -> a file of the user's own, in the form. */
import { constants, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Services } from '../services.ts';
import { fineTune } from './datasetCommands.ts';

const sampleName = 'harbour-museum.jsonl';

/** Copies the sample into the workspace folder (without one, into the user's storage); a file of that name is kept and used. */
export async function fineTuneWithSample(services: Services): Promise<void> {
  const { context } = services;
  const workspace = vscode.workspace.workspaceFolders?.find(folder => folder.uri.scheme === 'file');
  const folder = workspace?.uri.fsPath ?? context.globalStorageUri.fsPath;
  const path = join(folder, sampleName);
  await mkdir(folder, { recursive: true });
  try {
    await copyFile(join(context.extensionPath, 'media', 'sample', sampleName), path, constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  await fineTune(services, vscode.Uri.file(path));
}
