/** @file A run's request -> its recipe in run.json, with data snapshotted; or a run that has one -> the same state again. */
import { basename } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import {
  type DatasetReference,
  type ModelReference,
  type RunRecord,
  runSchemaVersion,
} from '../../../shared/recipe.ts';
import { examplesOf, readDatasetSnapshot } from '../../data/split/readDatasetSnapshot.ts';
import { writeDatasetSnapshot } from '../../data/split/writeDatasetSnapshot.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { readModel } from '../../models/findArchitecture.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { readRecord, readRequest, writeRecord } from '../../runs/runFiles.ts';
import { storeOf } from '../../runs/runStore.ts';
import type { StartValues } from '../../train/startValues.ts';
import { interruptible, throwIfInterrupted } from '../interruption.ts';
import type { JobWarning } from '../jobEvents.ts';
import { type CheckedRun, type CheckOptions, checkRun, enforceChecks, modelOptions } from './checkRun.ts';
import { describeChecked } from './describeChecked.ts';
import { type EncodedSides, encodeSides } from './encodeSides.ts';
import { judgeBaseWeights } from './judgeBaseWeights.ts';
import { reopenModel } from './openTrainingModel.ts';
import { type BatchPlan, planBatches } from './planBatches.ts';
import { keepStart, openStart } from './startAdapters.ts';
import { listVersions } from './versions.ts';

export interface PreparedRun {
  readonly record: RunRecord;
  readonly model: OpenModel;
  readonly architecture: Model;
  readonly sides: EncodedSides;
  readonly batches: BatchPlan;
  /** Of adapters that exist; absent for a fresh start. */
  readonly start?: StartValues | undefined;
  /** How the data was read; for a run that goes on, nothing. */
  readonly notes: readonly string[];
  readonly warnings: readonly JobWarning[];
}

export interface PrepareOptions extends CheckOptions {
  /** What 8-bit base weights change the loss by, on rows of the run; absent: `auto` takes them unmeasured. */
  readonly measureRounding?: (checked: CheckedRun) => Promise<number>;
}

/** The caller closes the model. Nothing is written before every check has passed. @throws TuneError; JobInterrupted */
export async function prepareRun(run: string, options: PrepareOptions): Promise<PreparedRun> {
  const record = readRecord(run);
  return record === undefined ? prepareNew(run, options) : prepareAgain(run, record, options);
}

async function prepareNew(run: string, options: PrepareOptions): Promise<PreparedRun> {
  const asked = await checkRun(readRequest(run), { ...options, measures: true });
  const { request, model, architecture, sides, batches, teacher } = asked;
  try {
    enforceChecks(asked, request.overrides);
    throwIfInterrupted(options.control);
    const { checked, note } = await judgeBaseWeights(asked, options.measureRounding);
    throwIfInterrupted(options.control);
    options.onPhase('hashing model', 0, 1);
    model.computeSha256();
    teacher?.model.computeSha256();
    const datasets = snapshotSources(storeOf(run), checked);
    const startFrom = keepStart(run, request);
    const record: RunRecord = {
      schemaVersion: runSchemaVersion,
      id: basename(run),
      kind: 'train',
      parents: request.parents,
      createdAt: new Date().toISOString(),
      engine: checked.engine.engine,
      objective: request.hyperparameters.objective,
      model: describeModel(model),
      ...(teacher && { teacher: describeModel(teacher.model) }),
      ...(startFrom === undefined ? {} : { startFrom }),
      ...(request.since === undefined ? {} : { since: request.since }),
      datasets,
      hyperparameters: request.hyperparameters,
      overrides: request.overrides,
      versions: listVersions(),
      forecast: checked.forecast,
    };
    writeRecord(run, record);
    const start = openStart(run, record);
    const { notes, warnings } = describeChecked(checked);
    const told = note === undefined ? notes : [...notes, note];
    return { record, model, architecture, start, sides, batches, notes: told, warnings };
  } catch (error) {
    model.close();
    throw error;
  } finally {
    teacher?.model.close();
  }
}

/** Writes what was read, and how it was split, into the store. */
export function snapshotSources(
  store: string,
  { sources, request }: Pick<CheckedRun, 'sources' | 'request'>,
): DatasetReference[] {
  return sources.map(({ dataset, split }, i) => {
    const { mapping, isChosen } = dataset.mapping;
    const snapshot = writeDatasetSnapshot(store, dataset, split);
    const { path, encoding, cleaning } = request.datasets[i]!;
    const read = { path, sha256: dataset.sha256, snapshot, mapping, mappingChosen: isChosen };
    return { ...read, ...(encoding && { encoding }), ...(cleaning && { cleaning }) };
  });
}

export function describeModel(model: OpenModel): ModelReference {
  const { id, path, format, modelType } = model;
  return { id, path, format, modelType, sha256: model.computeSha256() };
}

async function prepareAgain(run: string, record: RunRecord, options: CheckOptions): Promise<PreparedRun> {
  const { control, onPhase } = options;
  if (record.id !== basename(run)) {
    throw new TuneError('run-invalid', `${run}: expected the recipe of this run, got that of ${record.id}`, {
      file: run,
      hint: 'A run folder cannot be renamed or copied; start a new run with: tuning-fork train --recipe run.json',
    });
  }
  onPhase('opening model', 0, 1);
  const model = await interruptible(control, signal => reopenModel(record.model, modelOptions(options, signal)));
  try {
    onPhase('reading data', 0, 1);
    const snapshots = await Promise.all(record.datasets.map(d => readDatasetSnapshot(storeOf(run), d.snapshot)));
    const given = {
      train: snapshots.flatMap(snapshot => examplesOf(snapshot, 'train')),
      heldOut: snapshots.flatMap(snapshot => examplesOf(snapshot, 'heldOut')),
    };
    const sides = encodeSides(model, given, record.hyperparameters, (done, total) => {
      throwIfInterrupted(control);
      onPhase('tokenising', done, total);
    });
    const batches = planBatches(sides, record.hyperparameters);
    if (batches.totalSteps !== record.forecast.totalSteps) {
      throw new TuneError(
        'run-invalid',
        `${run}: expected ${record.forecast.totalSteps} steps as planned, got ${batches.totalSteps}`,
        { file: run, hint: 'The run was made by another version of this program: start it anew with its recipe.' },
      );
    }
    const architecture = readModel({ ...model.config, model_type: model.modelType });
    const start = openStart(run, record);
    return { record, model, architecture, start, sides, batches, notes: [], warnings: [] };
  } catch (error) {
    model.close();
    throw error;
  }
}
