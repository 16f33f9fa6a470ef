/**
 * @file The header of a safetensors file -> where each tensor lies. Follows the format's reference (8 bytes of little-endian
 * length, JSON, data); a header is hostile until every number in it agrees with the file's size and with each other.
 * @see https://github.com/huggingface/safetensors
 */
import { TuneError } from '../../shared/errors.ts';
import type { RandomAccessFile } from './randomAccessFile.ts';
import { countElements, type StoredTensor } from './storedTensors.ts';
import { parseStrictJson, type StrictJson, StrictJsonError } from './strictJson.ts';
import { floatCodecs } from './tensorCodec.ts';

/** About 250,000 tensors; a larger header is refused before it is read. */
const maxHeaderBytes = 32 * 1024 * 1024;
const maxDimensions = 16;

/** Bits of one element of every type the format knows. Only F32, F16 and BF16 are decoded. */
const elementBits: ReadonlyMap<string, number> = new Map([
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
  ['C64', 64],
  ['F32', 32],
  ['I32', 32],
  ['U32', 32],
  ['F16', 16],
  ['BF16', 16],
  ['I16', 16],
  ['U16', 16],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['I8', 8],
  ['U8', 8],
  ['BOOL', 8],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['F4', 4],
]);

export interface SafetensorsHeader {
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** @throws TuneError `model-invalid` naming the file and both of the numbers that disagree. */
export function readSafetensorsHeader(file: RandomAccessFile): SafetensorsHeader {
  const fail = (expected: string, got: string): never => {
    throw new TuneError('model-invalid', `${file.path}: expected ${expected}, got ${got}`, {
      file: file.path,
      hint: 'The file is damaged, cut short or not a safetensors file: download or export it again.',
    });
  };

  if (file.bytes < 8) fail('a safetensors file of at least 8 bytes', `${file.bytes} bytes`);
  const headerBytes = Number(new DataView(file.read(0, 8).buffer).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes) fail(`a header of at most ${maxHeaderBytes} bytes`, `a length of ${headerBytes}`);
  if (8 + headerBytes > file.bytes) {
    fail(`a header of ${headerBytes} bytes`, `a file of ${file.bytes} bytes, too short to hold it`);
  }
  const dataStart = 8 + headerBytes;
  const entries = parseHeaderText(file.read(8, headerBytes), fail);

  const metadata = new Map<string, string>();
  const tensors: StoredTensor[] = [];
  for (const [name, entry] of entries) {
    if (!(entry instanceof Map)) fail(`an object for ${quote(name)} in the header`, describe(entry));
    const fields = entry as ReadonlyMap<string, StrictJson>;
    if (name === '__metadata__') {
      for (const [key, value] of fields) {
        if (typeof value === 'string') metadata.set(key, value);
        else fail(`text for ${quote(key)} in __metadata__`, describe(value));
      }
    } else {
      tensors.push(readTensorEntry(name, fields, dataStart, fail));
    }
  }

  tensors.sort((a, b) => a.fileOffset - b.fileOffset || a.storedBytes - b.storedBytes);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.fileOffset !== end) {
      const what = tensor.fileOffset < end ? 'an overlap' : 'a hole';
      fail(`the data of ${quote(tensor.name)} at byte ${end - dataStart}`, `${what}: ${tensor.fileOffset - dataStart}`);
    }
    end += tensor.storedBytes;
  }
  if (end !== file.bytes) fail(`a file of ${end} bytes, as its header says`, `${file.bytes} bytes`);
  return { tensors: new Map(tensors.map(tensor => [tensor.name, tensor])), metadata };
}

type Fail = (expected: string, got: string) => never;

function parseHeaderText(bytes: Uint8Array, fail: Fail): ReadonlyMap<string, StrictJson> {
  if (bytes[0] !== 0x7b) return fail('a header that starts with "{"', `byte ${bytes[0] ?? 'none'}`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return parseStrictJson(text) as ReadonlyMap<string, StrictJson>;
  } catch (error) {
    if (error instanceof StrictJsonError) return fail('a header in JSON', error.message);
    if (error instanceof TypeError) return fail('a header in UTF-8', 'other bytes');
    throw error;
  }
}

function readTensorEntry(
  name: string,
  fields: ReadonlyMap<string, StrictJson>,
  dataStart: number,
  fail: Fail,
): StoredTensor {
  const dtype = fields.get('dtype');
  const bits = typeof dtype === 'string' ? elementBits.get(dtype) : undefined;
  if (typeof dtype !== 'string' || bits === undefined) return fail(`a known dtype for ${quote(name)}`, describe(dtype));

  const shape = fields.get('shape');
  if (!isListOfCounts(shape)) return fail(`a shape of counts for ${quote(name)}`, describe(shape));
  if (shape.length > maxDimensions) {
    return fail(`at most ${maxDimensions} dimensions for ${quote(name)}`, `${shape.length}`);
  }
  const elements = countElements(shape);
  const storedBytes = (elements * bits) / 8;
  if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(storedBytes)) {
    return fail(`a countable size for ${quote(name)}`, `shape [${shape.join(', ')}] of ${dtype}`);
  }

  const offsets = fields.get('data_offsets');
  if (!isListOfCounts(offsets) || offsets.length !== 2) {
    return fail(`two data_offsets for ${quote(name)}`, describe(offsets));
  }
  const [begin, end] = offsets as [number, number];
  if (end - begin !== storedBytes) {
    return fail(
      `${storedBytes} bytes for ${quote(name)}, shape [${shape.join(', ')}] of ${dtype}`,
      `data_offsets [${begin}, ${end}]`,
    );
  }
  return { name, dtype, shape, storedBytes, fileOffset: dataStart + begin, codec: floatCodecs.get(dtype) };
}

function isListOfCounts(value: StrictJson | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every(item => Number.isSafeInteger(item) && item >= 0);
}

function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}

function describe(value: StrictJson | undefined): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Map) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
