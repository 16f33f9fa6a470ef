/**
 * @file A training state <-> the folder `step-000100/`: parameters.safetensors, moments.safetensors (both AdamW moments,
 * as `<name>.first` and `<name>.second`), state.json, manifest.json. All float32, so that what is read back is what was
 * written, bit for bit.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { encodeFloats } from '../formats/encodeFloats.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import { serializeSafetensors, type TensorToWrite } from '../formats/writeSafetensors.ts';
import type { ParameterMoments } from '../optim/adamW.ts';
import { manifestFile } from './checkpointManifest.ts';
import { createFolder, type FolderFileSystem } from './stagedFolder.ts';
import type { TrainableParameter } from './trainingEngine.ts';
import { type TrainState, trainStateSchema } from './trainState.ts';

export const checkpointFiles = {
  parameters: 'parameters.safetensors',
  moments: 'moments.safetensors',
  state: 'state.json',
} as const;

/** Elements read at once when a tensor comes back. */
const readElements = 4 * 1024 * 1024;

export interface CheckpointContents {
  readonly parameters: readonly TrainableParameter[];
  /** In the order of the parameters. */
  readonly moments: readonly ParameterMoments[];
  /** What else an exact resume needs. */
  readonly extras?: readonly Pick<TrainableParameter, 'name' | 'shape' | 'value'>[] | undefined;
  readonly state: TrainState;
}

/** Makes `folder`, which must not exist. @throws TuneError `disk-full` | `not-writable` */
export function writeCheckpoint(folder: string, contents: CheckpointContents, fileSystem: FolderFileSystem): void {
  const { parameters, moments, extras = [], state } = contents;
  const files = [
    {
      name: checkpointFiles.parameters,
      pieces: serializeSafetensors(parameters.map(p => tensor(p.name, p.shape, [p.value]))),
    },
    {
      name: checkpointFiles.moments,
      pieces: serializeSafetensors([
        ...parameters.flatMap((p, i) => [
          tensor(`${p.name}.first`, p.shape, moments[i]!.first),
          tensor(`${p.name}.second`, p.shape, moments[i]!.second),
        ]),
        ...extras.map(({ name, shape, value }) => tensor(name, shape, [value])),
      ]),
    },
    { name: checkpointFiles.state, pieces: [new TextEncoder().encode(JSON.stringify(state, null, 2))] },
  ];
  createFolder(folder, files, written => [manifestFile(written)], fileSystem);
}

/** Fills parameters and moments in place and returns the state. @throws TuneError `checkpoint-invalid` when it belongs to another recipe */
export function readCheckpoint(folder: string, target: Omit<CheckpointContents, 'state'>): TrainState {
  readParameters(folder, target.parameters);
  withTensors(join(folder, checkpointFiles.moments), source => {
    for (const [i, { name, shape }] of target.parameters.entries()) {
      fillChunks(source, `${name}.first`, shape, target.moments[i]!.first);
      fillChunks(source, `${name}.second`, shape, target.moments[i]!.second);
    }
    for (const { name, shape, value } of target.extras ?? []) fillChunks(source, name, shape, [value]);
  });
  return readCheckpointState(folder);
}

/** Fills only the parameters, for example to write an adapter from an older checkpoint. */
export function readParameters(folder: string, parameters: readonly TrainableParameter[]): void {
  withTensors(join(folder, checkpointFiles.parameters), source => {
    for (const { name, shape, value } of parameters) fillChunks(source, name, shape, [value]);
  });
}

export function readCheckpointState(folder: string): TrainState {
  const path = join(folder, checkpointFiles.state);
  const parsed = trainStateSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new TuneError('checkpoint-invalid', `${path}: expected the state of a run, got ${parsed.error.message}`, {
    file: path,
  });
}

function tensor(name: string, shape: readonly number[], chunks: readonly Float32Array[]): TensorToWrite {
  return { name, dtype: 'F32', shape, readPieces: () => chunks.map(chunk => encodeFloats(chunk, 'F32')) };
}

function withTensors(path: string, read: (source: TensorSource) => void): void {
  const { tensors } = openSafetensors(path);
  try {
    read(tensors);
  } finally {
    tensors.close();
  }
}

/** Copies a stored tensor into consecutive chunks, a few rows at a time. */
function fillChunks(
  source: TensorSource,
  name: string,
  shape: readonly number[],
  chunks: readonly Float32Array[],
): void {
  const stored = source.names.includes(name) ? source.info(name).shape : undefined;
  if (stored === undefined || stored.join() !== shape.join()) {
    const got = stored === undefined ? 'none' : `[${stored.join(', ')}]`;
    throw new TuneError(
      'checkpoint-invalid',
      `checkpoint: expected ${name} of shape [${shape.join(', ')}], got ${got}`,
      {
        hint: 'The checkpoint belongs to another recipe or model: start the run again.',
      },
    );
  }
  const rows = shape[0] ?? 1;
  const rowElements = shape.slice(1).reduce((product, size) => product * size, 1);
  const rowsAtOnce = Math.max(1, Math.floor(readElements / rowElements));
  let chunk = 0;
  let filled = 0;
  for (let row = 0; row < rows; row += rowsAtOnce) {
    let values = source.readFloat32Rows(name, row, Math.min(rowsAtOnce, rows - row));
    while (values.length > 0) {
      if (filled === chunks[chunk]!.length) {
        chunk++;
        filled = 0;
      }
      const taken = values.subarray(0, chunks[chunk]!.length - filled);
      chunks[chunk]!.set(taken, filled);
      filled += taken.length;
      values = values.subarray(taken.length);
    }
  }
}
