/** @file A path -> the files it names: a file itself, a folder's datasets at any depth, or what a pattern (`data/*.jsonl`) fits. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { datasetExtension, hasDatasetName, rowExtensions } from '../../../shared/datasetFormats.ts';
import { TuneError } from '../../../shared/errors.ts';

/** Files of one dataset; more are no dataset but a wrong folder. */
const maxFiles = 100_000;
const maxDepth = 32;
/** Decisions on rows, and reports of cleaning, that lie beside datasets. */
const besideDatasets = /\.(review\.jsonl|report\.json)$/;
const skippedFolders = new Set(['node_modules', '__pycache__']);
/** What describes datasets instead of being one. */
const descriptions = new Set([
  'dataset_info.json',
  'dataset_infos.json',
  'dataset_dict.json',
  'state.json',
  'package.json',
  'README.md',
]);

/** In the order of their names. @throws TuneError `dataset-unreadable` | `dataset-empty` */
export async function listDatasetFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return listFolder(path);
  if (found !== undefined || !isPattern(path)) return [path];
  return listPattern(path);
}

/** Whether a path that names nothing may be a pattern. */
export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

async function listFolder(folder: string): Promise<string[]> {
  const files = (await walk(folder)).filter(
    file => hasDatasetName(file) && !descriptions.has(basename(file)) && !besideDatasets.test(file),
  );
  const rows = files.filter(file => (rowExtensions as readonly string[]).includes(datasetExtension(file)));
  const taken = rows.length > 0 ? rows : files;
  if (taken.length > 0) return taken;
  throw new TuneError('dataset-empty', `${folder}: expected datasets in the folder, got none`, {
    file: folder,
    hint: 'Files of these kinds are read, also packed as .gz: .jsonl, .json, .csv, .tsv, .parquet, .txt, .md.',
  });
}

async function listPattern(pattern: string): Promise<string[]> {
  const parts = resolve(pattern).split(sep);
  const firstOpen = parts.findIndex(isPattern);
  const root = parts.slice(0, firstOpen).join(sep) || sep;
  const expression = toExpression(resolve(pattern).split(sep).join('/'));
  const files = (await walk(root)).filter(
    file => expression.test(file.split(sep).join('/')) && !besideDatasets.test(file),
  );
  if (files.length > 0) return files;
  throw new TuneError('dataset-unreadable', `${pattern}: expected files that fit the pattern, got none`, {
    file: pattern,
    hint: 'Check the folder before the first * and the ending. ** stands for any number of folders.',
  });
}

/** Plain files below a folder; hidden ones, packages and links to folders are left out. */
async function walk(root: string): Promise<string[]> {
  const files: string[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (depth > 0 && error.code === 'EACCES') return [];
      throw new TuneError('dataset-unreadable', `${folder}: expected a readable folder, got ${error.code}`, {
        file: folder,
      });
    });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || skippedFolders.has(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory() && depth < maxDepth) await visit(path, depth + 1);
      else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path)))) files.push(path);
      if (files.length > maxFiles) {
        throw new TuneError('dataset-unreadable', `${root}: expected at most ${maxFiles} files, got more`, {
          file: root,
          hint: 'Choose a folder that holds the dataset alone, or name the files with a pattern.',
        });
      }
    }
  };
  await visit(root, 0);
  return files;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** `*` and `?` stay inside a name, `**` crosses folders, `[ab]` is one of, `{a,b}` either. */
function toExpression(pattern: string): RegExp {
  let source = '';
  let inBraces = 0;
  for (let at = 0; at < pattern.length; at++) {
    const c = pattern[at]!;
    if (pattern.startsWith('**/', at)) {
      source += '(?:[^/]+/)*';
      at += 2;
    } else if (c === '*') {
      source += '[^/]*';
      if (pattern[at + 1] === '*') at++;
    } else if (c === '?') source += '[^/]';
    else if (c === '{') {
      source += '(?:';
      inBraces++;
    } else if (c === '}' && inBraces > 0) {
      source += ')';
      inBraces--;
    } else if (c === ',' && inBraces > 0) source += '|';
    else {
      const set = c === '[' ? /^\[(!?)([^\]/\\]+)\]/.exec(pattern.slice(at)) : null;
      if (set !== null) {
        source += `[${set[1] ? '^/' : ''}${set[2]!.replace(/[\^]/g, '\\^')}]`;
        at += set[0].length - 1;
      } else source += c.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}${')'.repeat(inBraces)}$`);
}

/** The folder below which the files of a dataset lie: names under it are theirs. */
export function rootOf(path: string, files: readonly string[]): string {
  if (files.length === 1 && files[0] === path) return dirname(path);
  return isPattern(path) ? dirname(`${path.slice(0, path.search(/[*?[{]/))}x`) : path;
}
