/** @file A path (a document, a folder of them) -> documents as passages with their places. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import { peekText } from '../read/decodeText.ts';
import { splitHtml } from './htmlPassages.ts';
import type { Passage, SourceDocument } from './passage.ts';
import { readPdf } from './pdfPassages.ts';
import { splitText } from './textPassages.ts';

export const documentExtensions = ['md', 'markdown', 'txt', 'text', 'html', 'htm', 'xhtml', 'pdf'] as const;
const maxFiles = 10_000;
const maxDepth = 16;
const maxDocumentBytes = 128 * 1024 * 1024;

/** In the order of their names. @throws TuneError `dataset-unreadable` | `dataset-empty`; AbortError when cancelled */
export async function readDocuments(paths: readonly string[], signal?: AbortSignal): Promise<SourceDocument[]> {
  const documents: SourceDocument[] = [];
  for (const path of paths) {
    for (const file of await listDocuments(path)) {
      signal?.throwIfAborted();
      documents.push(await readDocument(file, signal));
    }
  }
  if (documents.some(({ passages }) => passages.length > 0)) return documents;
  throw new TuneError('dataset-empty', `${paths.join(', ')}: expected documents with text, got none`, {
    file: paths[0],
    hint: 'Scanned pages are pictures: run a text recognition over them first.',
  });
}

export async function readDocument(file: string, signal?: AbortSignal): Promise<SourceDocument> {
  const { size } = await stat(file);
  if (size > maxDocumentBytes) {
    throw new TuneError('dataset-unreadable', `${file}: expected a document of at most 128 MB, got ${size} bytes`, {
      file,
      hint: 'Divide it, or take the parts that matter.',
    });
  }
  const bytes = await readFile(file, { signal });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { file, sha256, passages: await split(file, bytes, signal) };
}

async function split(file: string, bytes: Uint8Array, signal?: AbortSignal): Promise<Passage[]> {
  const extension = extensionOf(file);
  // PDF.js takes the memory it is given, so it gets a copy.
  if (extension === 'pdf') return readPdf(file, Uint8Array.from(bytes), signal);
  const { encoding } = await peekText(file);
  const text = new TextDecoder(encoding).decode(bytes);
  if (['html', 'htm', 'xhtml'].includes(extension)) return splitHtml(text);
  return splitText(text, extension === 'md' || extension === 'markdown');
}

async function listDocuments(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    throw new TuneError('dataset-unreadable', `${path}: expected a document or a folder of them, got ${found.code}`, {
      file: path,
    });
  }
  if (found.isDirectory()) {
    const files = await walk(path, 0);
    if (files.length > 0 && files.length <= maxFiles) return files;
    throw new TuneError(
      files.length === 0 ? 'dataset-empty' : 'dataset-unreadable',
      `${path}: expected 1 to ${maxFiles} documents in the folder, got ${files.length}`,
      { file: path, hint: `Documents are files that end in ${documentExtensions.join(', ')}.` },
    );
  }
  if (isDocument(path)) return [path];
  throw new TuneError('usage', `${path}: expected a document (${documentExtensions.join(', ')}), got another file`, {
    file: path,
  });
}

async function walk(folder: string, depth: number): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth < maxDepth) files.push(...(await walk(path, depth + 1)));
    else if (entry.isFile() && isDocument(entry.name)) files.push(path);
    if (files.length > maxFiles) break;
  }
  return files;
}

function isDocument(path: string): boolean {
  return (documentExtensions as readonly string[]).includes(extensionOf(path));
}

function extensionOf(path: string): string {
  return extname(basename(path)).slice(1).toLowerCase();
}
