/** @file A small JSON file of a run folder -> a checked value. Run folders are untrusted input. */
import { lstat, readFile } from 'node:fs/promises';
import type { z } from 'zod';

const maxFileBytes = 8 * 1024 * 1024;

/** The file's value, or undefined when there is none, it is too large, no plain file, or does not fit the schema. */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const stat = await lstat(path);
    if (!stat.isFile() || stat.size > maxFileBytes) return undefined;
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
