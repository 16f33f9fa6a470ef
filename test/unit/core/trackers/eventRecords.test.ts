import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from '../../../../src/core/trackers/crc32c.ts';
import {
  encodeFileVersion,
  encodeRecord,
  encodeScalars,
  encodeSessionStart,
} from '../../../../src/core/trackers/eventRecords.ts';

const ascii = (text: string) => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
/** What stands between a record's checksums. */
const dataOf = (record: Uint8Array) => hex(record.subarray(12, -4));

describe('crc32c', () => {
  it('gives the check values of RFC 3720', () => {
    expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new Uint8Array())).toBe(0);
  });

  it('differs for every change of one byte', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, by) => {
          const changed = Uint8Array.from(bytes);
          changed[at % bytes.length]! ^= by;
          expect(crc32c(changed)).not.toBe(crc32c(bytes));
        },
      ),
    );
  });
});

describe('encodeRecord', () => {
  it('writes length, its masked checksum, data and theirs', () => {
    const record = encodeRecord(ascii('123456789'));
    expect(record.length).toBe(25);
    const view = new DataView(record.buffer);
    expect(view.getBigUint64(0, true)).toBe(9n);
    expect(view.getUint32(8, true)).toBe(maskedCrc32c(record.subarray(0, 8)));
    // ((crc >>> 15 | crc << 17) + 0xa282ead8) mod 2^32, by hand.
    expect(view.getUint32(21, true)).toBe(0xc78ab0e5);
  });
});

// Serialised by TensorBoard 2.21's own protocol buffers.
describe('encodeScalars', () => {
  it('gives the bytes of TensorBoard', () => {
    expect(dataOf(encodeScalars(1.5, 7, [['train/loss', 0.25]]))).toBe(
      '09000000000000f83f10072a220a200a0a747261696e2f6c6f7373150000803e4a0d0a090a077363616c6172732001',
    );
  });
});

describe('encodeSessionStart', () => {
  it('gives the bytes of TensorBoard', () => {
    expect(dataOf(encodeSessionStart(1.5, 7))).toBe('09000000000000f83f10073a020801');
  });
});

describe('encodeFileVersion', () => {
  it('names the second version of the format', () => {
    expect(Buffer.from(encodeFileVersion(0)).toString('latin1')).toContain('brain.Event:2');
  });
});
