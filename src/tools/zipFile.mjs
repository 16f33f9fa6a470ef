// @ts-check
/** Reads a ZIP file (a VSIX is one): what it lists, and the bytes of its files. No encryption, no ZIP64. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { inflateRawSync } from 'node:zlib';

/** @typedef {{ path: string, bytes: number, packedBytes: number, read: () => Buffer }} ZipEntry */

/**
 * The files of the archive (folders left out), in its order.
 * @param {Buffer} zip
 * @returns {ZipEntry[]}
 */
export function listZip(zip) {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error('expected a ZIP file, got one without an end record');
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  const entries = [];
  for (let i = 0; i < count; i++) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error(`ZIP file: expected entry ${i} of ${count} at byte ${at}`);
    const method = zip.readUInt16LE(at + 10);
    const packedBytes = zip.readUInt32LE(at + 20);
    const bytes = zip.readUInt32LE(at + 24);
    const nameBytes = zip.readUInt16LE(at + 28);
    const path = zip.toString('utf8', at + 46, at + 46 + nameBytes);
    const header = zip.readUInt32LE(at + 42);
    const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (path.endsWith('/')) continue;
    const packed = zip.subarray(start, start + packedBytes);
    entries.push({ path, bytes, packedBytes, read: () => (method === 0 ? packed : inflateRawSync(packed)) });
  }
  return entries;
}

/**
 * Writes the archive's files under a folder.
 * @param {readonly ZipEntry[]} entries
 * @param {string} folder
 */
export function extractZip(entries, folder) {
  for (const entry of entries) {
    const file = normalize(join(folder, entry.path));
    if (!file.startsWith(normalize(folder) + sep)) throw new Error(`${entry.path}: leads out of the archive`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, entry.read());
  }
}
