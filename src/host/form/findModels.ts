/** @file Folders -> the models found in them: GGUF files and Hugging Face folders, within bounds. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { formatBytes } from '../../shared/formatBytes.ts';
import type { ModelChoice } from '../../shared/pages.ts';

const skippedFolders = new Set(['node_modules', '__pycache__', 'dist', 'out', 'build', 'target', 'venv']);

export interface SearchBounds {
  maxDepth: number;
  /** Folder entries looked at in all. */
  maxEntries: number;
  maxModels: number;
}
export const workspaceBounds: SearchBounds = { maxDepth: 4, maxEntries: 20_000, maxModels: 50 };

/** Models below the folders, breadth first, so that near ones are found within the bounds. */
export async function findModels(folders: readonly string[], bounds: SearchBounds): Promise<ModelChoice[]> {
  const found: ModelChoice[] = [];
  let left = bounds.maxEntries;
  let level = [...folders];
  for (let depth = 0; depth <= bounds.maxDepth && level.length > 0; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      if (left <= 0 || found.length >= bounds.maxModels) return found;
      const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
      left -= entries.length;
      found.push(...(await modelsIn(folder, entries)));
      next.push(...entries.filter(isSearched).map(entry => join(folder, entry.name)));
    }
    level = next;
  }
  return found.slice(0, bounds.maxModels);
}

function isSearched(entry: Dirent): boolean {
  return entry.isDirectory() && !entry.name.startsWith('.') && !skippedFolders.has(entry.name);
}

async function modelsIn(folder: string, entries: readonly Dirent[]): Promise<ModelChoice[]> {
  const files = entries.filter(entry => !entry.isDirectory()).map(entry => entry.name);
  const found: ModelChoice[] = [];
  for (const name of files.filter(f => f.toLowerCase().endsWith('.gguf'))) {
    const id = join(folder, name);
    const size = (await stat(id).catch(() => undefined))?.size;
    if (size !== undefined) found.push({ id, label: name, detail: `${formatBytes(size)}, ${folder}` });
  }
  const weights = files.filter(f => f.endsWith('.safetensors'));
  if (files.includes('config.json') && weights.length > 0) {
    const sizes = await Promise.all(
      weights.map(f =>
        stat(join(folder, f)).then(
          s => s.size,
          () => 0,
        ),
      ),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    found.push({ id: folder, label: basename(folder), detail: `${formatBytes(bytes)}, ${folder}` });
  }
  return found;
}
