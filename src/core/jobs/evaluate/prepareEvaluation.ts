/** @file An evaluation's request -> its record in run.json, once rows, base and every candidate were looked at; or the record it has, checked to judge the same. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { Candidate, EvaluationRecord, EvaluationRequest } from '../../../shared/evaluation.ts';
import { runSchemaVersion } from '../../../shared/recipe.ts';
import { checkpointNamePattern, runNames } from '../../../shared/runFolder.ts';
import { adapterFileNames, readAdapter } from '../../adapter/readAdapter.ts';
import { openSafetensors } from '../../formats/safetensors.ts';
import { findOutputs, type TunedOutputs } from '../../infer/findOutput.ts';
import { type OpenModelOptions, openModel } from '../../models/openModel.ts';
import { readStoredRecord, readStoredRequest, writeRecord } from '../../runs/runFiles.ts';
import { checkpointFiles } from '../../train/checkpoint.ts';
import { nodeFolderFileSystem, replaceFolder } from '../../train/stagedFolder.ts';
import { describeModel } from '../prepare/prepareRun.ts';
import { listVersions } from '../prepare/versions.ts';
import { type EvaluatedData, readEvaluatedData } from './evaluatedRows.ts';
import { openNamedEndpoint } from './namedEndpoints.ts';

export interface PreparedEvaluation {
  readonly record: EvaluationRecord;
  readonly request: EvaluationRequest;
  readonly data: EvaluatedData;
  /** Of candidates of ours that have weights of their own, by id. */
  readonly outputs: ReadonlyMap<string, TunedOutputs>;
}

export interface PreparingOptions {
  readonly models: OpenModelOptions;
  readonly signal: AbortSignal;
  readonly onPhase: (name: string, done: number, total: number) => void;
}

/** @throws TuneError; `run-invalid` when rows or weights are others than when the evaluation began; AbortError when cancelled */
export async function prepareEvaluation(run: string, options: PreparingOptions): Promise<PreparedEvaluation> {
  const request = readStoredRequest(run);
  if (request.kind !== 'evaluate') {
    throw new TuneError('run-invalid', `${run}: expected an evaluation, got a run of another kind`, { file: run });
  }
  options.onPhase('reading data', 0, 1);
  const data = await readEvaluatedData(request, options.signal);
  for (const candidate of request.candidates) if (candidate.kind === 'endpoint') openNamedEndpoint(candidate.endpoint);
  if (request.judge?.kind === 'endpoint') openNamedEndpoint(request.judge.endpoint);
  const outputs = new Map(request.candidates.flatMap(candidate => findWeights(run, candidate)));
  const stored = readStoredRecord(run);
  const known = stored?.kind === 'evaluate' ? stored : undefined;
  options.onPhase('hashing weights', 0, 1);
  const weights = await hashWeights(request, outputs, options);
  if (known !== undefined) {
    requireSame(run, known, data, weights);
    return { record: known, request, data, outputs };
  }
  const { kind: _kind, name: _name, model, parents, ...settings } = request;
  const opened = await openModel(model, { ...options.models, hub: { ...options.models.hub, signal: options.signal } });
  try {
    const record: EvaluationRecord = {
      schemaVersion: runSchemaVersion,
      id: basename(run),
      kind: 'evaluate',
      parents,
      createdAt: new Date().toISOString(),
      model: describeModel(opened),
      datasets: data.datasets,
      ...settings,
      weights,
      rowCount: data.examples.length,
      versions: listVersions(),
    };
    writeRecord(run, record);
    return { record, request, data, outputs };
  } finally {
    opened.close();
  }
}

function findWeights(run: string, candidate: Candidate): [string, TunedOutputs][] {
  if (candidate.kind !== 'adapter') return [];
  const paths = candidate.paths.map(path => (isCheckpoint(path) ? adoptCheckpoint(run, path) : path));
  return [[candidate.id, findOutputs(paths)]];
}

export const isCheckpoint = (path: string): boolean =>
  checkpointNamePattern.test(basename(path)) && existsSync(join(path, checkpointFiles.parameters));

/** A checkpoint's parameters as an adapter's folder among the evaluation's own files: its tensors have PEFT's names already. */
function adoptCheckpoint(run: string, checkpoint: string): string {
  const trained = dirname(dirname(checkpoint));
  const config = join(trained, runNames.adapter, adapterFileNames.config);
  const parameters = join(checkpoint, checkpointFiles.parameters);
  const fail = (got: string): TuneError =>
    new TuneError(
      'adapter-invalid',
      `${checkpoint}: expected the checkpoint of a run that trains an adapter, got ${got}`,
      {
        file: checkpoint,
        hint: 'Judge the run itself: its adapter is its best checkpoint.',
      },
    );
  if (!existsSync(config)) throw fail('one of a run without an adapter');
  if (listShapes(parameters) !== listShapes(join(trained, runNames.adapter, adapterFileNames.weights))) {
    throw fail('one whose tensors are not those of the adapter (AdaLoRA, or a stack)');
  }
  const folder = join(run, runNames.cache, `${basename(trained)}-${basename(checkpoint)}`);
  const files = [
    { name: adapterFileNames.config, pieces: [readFileSync(config)] },
    { name: adapterFileNames.weights, pieces: [readFileSync(parameters)] },
  ];
  replaceFolder(folder, files, nodeFolderFileSystem);
  readAdapter(folder);
  return folder;
}

function listShapes(path: string): string {
  const { tensors } = openSafetensors(path);
  try {
    return [...tensors.names]
      .sort()
      .map(name => `${name} ${tensors.info(name).shape.join('x')}`)
      .join('\n');
  } finally {
    tensors.close();
  }
}

async function hashWeights(
  { candidates }: EvaluationRequest,
  outputs: PreparedEvaluation['outputs'],
  { models, signal }: PreparingOptions,
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const candidate of candidates) {
    const output = outputs.get(candidate.id);
    const model = candidate.kind === 'model' ? candidate.model : output?.kind === 'model' ? output.folder : undefined;
    if (model !== undefined) {
      const opened = await openModel(model, { ...models, hub: { ...models.hub, signal } });
      hashes[candidate.id] = opened.computeSha256();
      opened.close();
    } else if (output?.kind === 'adapter') {
      const hash = createHash('sha256');
      for (const folder of output.folders) {
        for (const name of Object.values(adapterFileNames)) hash.update(readFileSync(join(folder, name)));
      }
      hashes[candidate.id] = hash.digest('hex');
    }
  }
  return hashes;
}

function requireSame(
  run: string,
  known: EvaluationRecord,
  data: EvaluatedData,
  weights: Readonly<Record<string, string>>,
): void {
  const changedFile = known.datasets.find(({ sha256 }, i) => data.datasets[i]?.sha256 !== sha256)?.path;
  const changed = known.candidates.find(({ id }) => weights[id] !== known.weights[id])?.label;
  if (changedFile === undefined && changed === undefined) return;
  const got = changedFile === undefined ? `other weights of ${changed}` : `other rows in ${changedFile}`;
  throw new TuneError('run-invalid', `${run}: expected what the evaluation began with, got ${got}`, {
    file: run,
    hint: 'Start a new evaluation.',
  });
}
