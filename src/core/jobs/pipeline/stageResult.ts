/** @file A finished stage's run -> what the next stages take up: its adapter on its base, or its model. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { RunRecord } from '../../../shared/recipe.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { readAdapter } from '../../adapter/readAdapter.ts';
import { makeFolders } from '../../formats/makeFolders.ts';
import { RandomAccessFile, readChunkBytes } from '../../formats/randomAccessFile.ts';
import { findOutput, type TunedOutput } from '../../infer/findOutput.ts';
import { type OpenModelOptions, openModel } from '../../models/openModel.ts';
import { readRecord } from '../../runs/runFiles.ts';
import { createFolder, nodeFolderFileSystem } from '../../train/stagedFolder.ts';
import { mergeAdapter } from '../merge/mergeAdapter.ts';
import { nameBaseModel } from '../prepare/runQuestions.ts';

export interface StageResult {
  readonly name: string;
  /** The run's folder. */
  readonly run: string;
  readonly id: string;
  readonly record: RunRecord;
  /** What an adapter stands on; for a whole model that model itself. */
  readonly base: string;
  readonly output: TunedOutput;
  readonly outputSha256: string;
}

/** @throws TuneError `run-invalid`, `adapter-invalid` */
export async function readResult(name: string, run: string): Promise<StageResult> {
  const record = readRecord(run);
  if (record === undefined) {
    throw new TuneError('run-invalid', `${run}: expected a run with a recipe, got one without`, { file: run });
  }
  const output = findOutput(run);
  const base = output.kind === 'model' ? output.folder : nameBaseModel(record.model);
  return { name, run, id: basename(run), record, base, output, outputSha256: hashWeights(output.folder) };
}

const mergedName = 'merged';

/** A folder that is a model by itself: the run's own, or its adapter in its base's weights, made once and kept in the run's cache. */
export async function resultAsModel({ run, base, output }: StageResult, options: OpenModelOptions): Promise<string> {
  if (output.kind === 'model') return output.folder;
  const folder = join(run, runNames.cache, mergedName);
  if (existsSync(folder)) return folder;
  const model = await openModel(base, options);
  try {
    makeFolders(join(run, runNames.cache));
    // Left by a process that was killed while it wrote.
    rmSync(`${folder}.tmp`, { recursive: true, force: true });
    createFolder(folder, mergeAdapter(model, readAdapter(output.folder)), () => [], nodeFolderFileSystem);
    return folder;
  } finally {
    model.close();
  }
}

/** Over the weight files of an adapter or a model, in name order. */
function hashWeights(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.safetensors')) hash.update(name).update(hashFile(join(folder, name)));
  }
  return hash.digest('hex');
}

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const file = RandomAccessFile.open(path);
  try {
    for (let at = 0; at < file.bytes; at += readChunkBytes) {
      hash.update(file.read(at, Math.min(readChunkBytes, file.bytes - at)));
    }
  } finally {
    file.close();
  }
  return hash.digest('hex');
}
