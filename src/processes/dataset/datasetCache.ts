/** @file The dataset read last, kept until the file or its mapping changes: inspection, rows and forecast share one reading. */
import { stat } from 'node:fs/promises';
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
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return JSON.stringify([path, mapping, String(found?.mtimeNs), String(found?.size), String(found?.ino)]);
}
