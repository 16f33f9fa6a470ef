import { describe, expect, it } from 'vitest';
import { extractZip, listZip } from '../../../src/tools/zipFile.mjs';

/** One stored file, written by hand from the format's description. */
function storedZip(path: string, text: string): Buffer {
  const name = Buffer.from(path);
  const data = Buffer.from(text);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt32LE(data.length, 20);
  central.writeUInt32LE(data.length, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + name.length + data.length, 16);
  return Buffer.concat([local, name, data, central, name, end]);
}

describe('listZip', () => {
  it('gives path, size and bytes of a file', () => {
    const [entry] = listZip(storedZip('a/b.txt', 'hello'));
    expect(entry).toMatchObject({ path: 'a/b.txt', bytes: 5 });
    expect(entry!.read().toString()).toBe('hello');
  });

  it('refuses what is not a ZIP file', () => {
    expect(() => listZip(Buffer.from('no zip at all'))).toThrow('expected a ZIP file');
  });
});

describe('extractZip', () => {
  it('refuses a file that leads out of the folder', () => {
    expect(() => extractZip(listZip(storedZip('../evil.txt', 'x')), '/tmp/inside')).toThrow('leads out of the archive');
  });
});
