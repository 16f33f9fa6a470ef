/**
 * @file Weights that were rounded to blocks once -> a GGUF file in the user's cache, named by the sha256 of what they were
 * rounded from, so that the next run reads them as they are. The cache has a budget; what was used longest ago goes first.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { ForwardedTensors } from '../formats/forwardedTensors.ts';
import { openGguf } from '../formats/gguf.ts';
import { writeStagedFile } from '../formats/stagedFile.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import { serializeGguf } from '../formats/writeGguf.ts';
import type { QuantizedTensors } from './quantizedTensors.ts';

export interface WeightCache {
  readonly folder: string;
  readonly budgetBytes: number;
}

export interface CachedWeights {
  readonly path: string;
  readonly bytes: number;
  readonly usedAtMs: number;
}

/** Part of each name: raised when weights would be rounded otherwise. */
const version = 1;
const extension = '.gguf';
/** Of models that were dequantized into a Hugging Face folder. */
export const cachedFolderExtension = '.hf';

/** `rounded`, read from the cache; what is not there yet is written first, or left out where it cannot be written. */
export function openCachedWeights(cache: WeightCache, sha256: string, rounded: QuantizedTensors): TensorSource {
  if (rounded.types.size === 0) return rounded;
  const path = join(cache.folder, `${sha256}-q4-v${version}${extension}`);
  const cached = openComplete(path, rounded) ?? writeAnew(cache, path, rounded);
  if (!cached) return rounded;
  utimesSync(path, new Date(), new Date());
  makeRoomInCache(cache, path);
  return new CachedTensors(cached, rounded);
}

/** What lies in the cache, the latest used first. */
export function listCachedWeights(folder: string): CachedWeights[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(name => name.endsWith(extension) || name.endsWith(cachedFolderExtension))
    .map(name => {
      const path = join(folder, name);
      const { size, mtimeMs } = statSync(path);
      const bytes = name.endsWith(extension) ? size : countFolderBytes(path);
      return { path, bytes, usedAtMs: mtimeMs };
    })
    .sort((a, b) => b.usedAtMs - a.usedAtMs);
}

function openComplete(path: string, rounded: QuantizedTensors): TensorSource | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { tensors } = openGguf(path);
    const isComplete = [...rounded.types].every(
      ([name, type]) => tensors.names.includes(name) && tensors.info(name).dtype === type,
    );
    if (isComplete) return tensors;
    tensors.close();
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
  }
  return undefined;
}

/** A full or read-only disk costs time at the next run, no more. */
function writeAnew({ folder }: WeightCache, path: string, rounded: QuantizedTensors): TensorSource | undefined {
  const tensors = [...rounded.types].map(([name, dtype]) => {
    return { name, dtype, shape: rounded.info(name).shape, readPieces: () => rounded.readPieces(name) };
  });
  try {
    mkdirSync(folder, { recursive: true });
    writeStagedFile(path, serializeGguf(tensors, { 'general.architecture': 'tuning-fork-cache' }));
  } catch (error) {
    const isDisk = error instanceof TuneError && (error.code === 'disk-full' || error.code === 'not-writable');
    if (isDisk || (error as NodeJS.ErrnoException).syscall === 'mkdir') return undefined;
    throw error;
  }
  return openGguf(path).tensors;
}

/** Removes what was used longest ago until the rest fits the budget, but never `used`. */
export function makeRoomInCache({ folder, budgetBytes }: WeightCache, used: string): void {
  let total = 0;
  for (const { path, bytes } of listCachedWeights(folder)) {
    total += bytes;
    if (total > budgetBytes && path !== used) rmSync(path, { recursive: true, force: true });
  }
}

function countFolderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Rounded matrices from the cache, everything else from where it is stored. */
class CachedTensors extends ForwardedTensors {
  readonly names: readonly string[];
  private readonly cached: TensorSource;
  private readonly rounded: QuantizedTensors;

  constructor(cached: TensorSource, rounded: QuantizedTensors) {
    super();
    this.names = rounded.names;
    this.cached = cached;
    this.rounded = rounded;
  }

  /** The cache's file alone. */
  close(): void {
    this.cached.close();
  }

  protected find(name: string): TensorSource {
    return this.rounded.types.has(name) ? this.cached : this.rounded;
  }
}
