/** @file A run, or an adapter's folder with its base -> the tuned model as everything that exports reads it. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { MergedTensors } from '../../adapter/mergedTensors.ts';
import type { Adapter } from '../../adapter/readAdapter.ts';
import type { TensorSource } from '../../formats/tensorSource.ts';
import { checkFits } from '../../infer/adapterInputs.ts';
import { findOutputs } from '../../infer/findOutput.ts';
import { readAdapters } from '../../infer/readAdapters.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { listParameters } from '../../models/listParameters.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { type OpenModelOptions, openModel } from '../../models/openModel.ts';
import { readNotes } from '../../runs/runFiles.ts';
import { openModelText } from '../prepare/openModelText.ts';
import { checkWeights, readArchitecture } from '../prepare/readArchitecture.ts';

export interface TunedModel {
  /** For people, and for the names of files. */
  readonly name: string;
  /** The base model, or what full fine-tuning made of it. Closed by whoever opened this. */
  readonly base: OpenModel;
  readonly model: Model;
  /** Null for a full run. */
  readonly adapter: Adapter | null;
  /** Folders of the adapters that are added up. */
  readonly adapterFolders: readonly string[];
  /** The base's tensors with the adapter in them. */
  readonly weights: TensorSource;
  /** Jinja, as training used it. */
  readonly chatTemplate: string;
  readonly weightCount: number;
}

/**
 * @param paths a run or the folder of an adapter or full model; several adapters add up
 * @throws TuneError `adapter-invalid`, and as `openModel`
 */
export async function openTuned(
  paths: readonly string[],
  model: string,
  options: OpenModelOptions,
): Promise<TunedModel> {
  const outputs = findOutputs(paths);
  const base = await openModel(outputs.kind === 'model' ? outputs.folder : model, options);
  try {
    const architecture = readArchitecture(base);
    checkWeights(base, architecture);
    const folders = outputs.kind === 'model' ? [] : outputs.folders;
    const adapter = folders.length === 0 ? null : readAdapters(folders, architecture);
    if (adapter !== null) checkFits(adapter, architecture);
    return {
      name: nameTuned(paths),
      base,
      model: architecture,
      adapter,
      adapterFolders: folders,
      weights: adapter === null ? base.weights : new MergedTensors(base.weights, adapter),
      chatTemplate: openModelText(base).template.text,
      weightCount: listParameters(architecture).reduce((sum, { shape }) => sum + shape.reduce((p, n) => p * n, 1), 0),
    };
  } catch (error) {
    base.close();
    throw error;
  }
}

/** @throws TuneError `adapter-invalid` for a full run, which has none */
export function requireAdapter({ adapter, base }: TunedModel, format: string): Adapter {
  if (adapter !== null) return adapter;
  throw new TuneError(
    'adapter-invalid',
    `${base.path}: expected an adapter to export as ${format}, got a whole model`,
    {
      file: base.path,
      hint: 'Full fine-tuning leaves a model: export it as merged, gguf or onnx.',
    },
  );
}

/** What file names begin with. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return slug === '' ? 'model' : slug.slice(0, 60);
}

function nameTuned(paths: readonly string[]): string {
  const first = resolve(paths[0] ?? '');
  const run = isOutput(basename(first)) ? dirname(first) : first;
  return existsSync(join(run, runNames.notes)) ? readNotes(run).name : basename(run);
}

/** Whether a folder is one that a run keeps its output in. */
function isOutput(name: string): boolean {
  return name === runNames.adapter || name === runNames.model;
}
