/** @file A model or file as a pipeline file names it -> its absolute path, seen from the pipeline's folder, or a name that is no path. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** What lies on this disk is named absolutely; everything else is `tiny` or a Hub id. */
export function resolveName(name: string, folder: string): string {
  if (name === 'tiny') return name;
  const path = resolve(folder, name);
  return existsSync(path) || /^\.{0,2}[/\\]|\.gguf$/i.test(name) ? path : name;
}
