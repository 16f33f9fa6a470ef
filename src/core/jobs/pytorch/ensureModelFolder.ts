/**
 * @file A base model -> a Hugging Face folder that Transformers opens. A GGUF file is dequantized once into the user's cache,
 * because Transformers trains no model that it read from one.
 */
import { existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { textFile } from '../../adapter/tokenizerFolder.ts';
import { encodeFloats } from '../../formats/encodeFloats.ts';
import type { TensorSource } from '../../formats/tensorSource.ts';
import { serializeSafetensors, type TensorToWrite } from '../../formats/writeSafetensors.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { cachedFolderExtension, makeRoomInCache, type WeightCache } from '../../models/weightCache.ts';
import { createFolder, nodeFolderFileSystem } from '../../train/stagedFolder.ts';

/** Elements dequantized at once. */
const pieceElements = 4 * 1024 * 1024;

/** @throws TuneError `disk-full` | `not-writable` */
export function ensureModelFolder(model: OpenModel, { folder, budgetBytes }: WeightCache): string {
  if (model.format === 'safetensors') return model.path;
  const path = join(folder, `${model.computeSha256()}-f32${cachedFolderExtension}`);
  if (!existsSync(path)) writeFolder(path, model);
  utimesSync(path, new Date(), new Date());
  makeRoomInCache({ folder, budgetBytes }, path);
  return path;
}

function writeFolder(path: string, { config, weights }: OpenModel): void {
  const tensors = weights.names.map((name): TensorToWrite => {
    const { shape } = weights.info(name);
    return { name, dtype: 'F32', shape, readPieces: () => readPieces(weights, name, shape) };
  });
  nodeFolderFileSystem.makeFolder(join(path, '..'));
  const files = [
    { name: 'model.safetensors', pieces: serializeSafetensors(tensors, { format: 'pt' }) },
    textFile('config.json', JSON.stringify({ ...config, torch_dtype: 'float32' }, null, 2)),
  ];
  createFolder(path, files, () => [], nodeFolderFileSystem);
}

function* readPieces(weights: TensorSource, name: string, shape: readonly number[]): Generator<Uint8Array> {
  const [rows = 1, ...rest] = shape;
  const width = rest.reduce((product, size) => product * size, 1);
  const step = Math.max(1, Math.floor(pieceElements / width));
  for (let row = 0; row < rows; row += step) {
    yield encodeFloats(weights.readFloat32Rows(name, row, Math.min(step, rows - row)), 'F32');
  }
}
