/** @file manifest.json of a checkpoint: sizes and SHA-256 of its files, written last; a checkpoint without a true manifest does not exist. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { FileDigest, FileToWrite } from './stagedFolder.ts';

export const manifestName = 'manifest.json';

const manifestSchema = z.strictObject({
  schemaVersion: z.literal(1),
  files: z.record(
    z.string().regex(/^[\w.-]+$/),
    z.strictObject({ bytes: z.number().int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});

export function manifestFile(written: ReadonlyMap<string, FileDigest>): FileToWrite {
  const text = JSON.stringify({ schemaVersion: 1, files: Object.fromEntries(written) }, null, 2);
  return { name: manifestName, pieces: [new TextEncoder().encode(text)] };
}

/** What is wrong with the folder, in words; undefined when every file named in its manifest is there, byte for byte. */
export function checkManifest(folder: string, required: readonly string[]): string | undefined {
  try {
    const manifest = manifestSchema.safeParse(JSON.parse(readFileSync(join(folder, manifestName), 'utf8')));
    if (!manifest.success) return `${manifestName} is not a manifest`;
    for (const name of required) {
      if (!Object.hasOwn(manifest.data.files, name)) return `${manifestName} does not name ${name}`;
    }
    for (const [name, expected] of Object.entries(manifest.data.files)) {
      const found = digestFile(join(folder, name), expected.bytes);
      if (found.bytes !== expected.bytes)
        return `${name} has ${found.bytes} bytes where ${expected.bytes} were written`;
      if (found.sha256 !== expected.sha256) return `${name} is not what was written`;
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Reads nothing when the size already differs. */
function digestFile(path: string, expectedBytes: number): FileDigest {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size !== expectedBytes) return { bytes: size, sha256: '' };
    const hash = createHash('sha256');
    const buffer = new Uint8Array(Math.min(Math.max(size, 1), 16 * 1024 * 1024));
    for (;;) {
      const got = readSync(descriptor, buffer, 0, buffer.byteLength, null);
      if (got === 0) return { bytes: size, sha256: hash.digest('hex') };
      hash.update(buffer.subarray(0, got));
    }
  } finally {
    closeSync(descriptor);
  }
}
