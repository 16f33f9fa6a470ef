/** @file The dataset read last, kept until the file or its mapping changes: inspection, rows and forecast share one reading. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { listDatasetFiles } from '../../core/data/read/listDatasetFiles.ts';
import { type Dataset, readDataset } from '../../core/data/readDataset.ts';
import type { Mapping } from '../../shared/recipe.ts';

export class DatasetCache {
  private key = '';
  private dataset: Dataset | undefined;

  /** @throws as readDataset; AbortError when cancelled */
  async read(path: string, mapping: Mapping | null, signal: AbortSignal): Promise<Dataset> {
    const key = await makeKey(path, mapping);
    if (key === this.key && this.dataset !== undefined) return this.dataset;
    this.dataset = undefined;
    const dataset = await readDataset(path, { mapping, signal });
    this.key = key;
    this.dataset = dataset;
    return dataset;
  }
}

/** A file that cannot be looked at is read, which says why. */
async function makeKey(path: string, mapping: Mapping | null): Promise<string> {
  const files = await listDatasetFiles(path).catch(() => [path]);
  const states = await Promise.all(files.map(describeState));
  return JSON.stringify([path, mapping, createHash('sha256').update(states.join('\n')).digest('hex')]);
}

async function describeState(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return JSON.stringify([file, String(found?.mtimeNs), String(found?.size), String(found?.ino)]);
}
