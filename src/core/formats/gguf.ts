/**
 * @file A GGUF file (versions 2 and 3, little-endian) -> its metadata and a TensorSource under the names on disk. A head is
 * hostile until every number in it fits the file.
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { TuneError } from '../../shared/errors.ts';
import { GgufCursor, type GgufValue, quote } from './ggufCursor.ts';
import { ggufTensorTypes } from './ggufTypes.ts';
import { RandomAccessFile } from './randomAccessFile.ts';
import { countElements, type StoredTensor, StoredTensors } from './storedTensors.ts';
import type { TensorSource } from './tensorSource.ts';

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

export interface GgufFile {
  readonly path: string;
  readonly version: number;
  readonly metadata: GgufMetadata;
  /** Where the value of each key stands in the file, its type in front: to be copied as it is. */
  readonly valueRanges: ReadonlyMap<string, GgufValueRange>;
  /** Shapes are row-major: GGUF's order of dimensions is turned round. Holds the file open until `close()`. */
  readonly tensors: TensorSource;
}

export interface GgufValueRange {
  readonly offset: number;
  readonly bytes: number;
}

const magic = 0x46554747; // "GGUF"
const maxDimensions = 4;
const maxNameBytes = 65_535;

/** @throws TuneError `model-invalid` | `model-not-found` | `model-unsupported` (a tensor type that nobody knows, old versions) */
export function openGguf(path: string): GgufFile {
  const file = RandomAccessFile.open(path);
  try {
    const cursor = new GgufCursor(file);
    const version = readVersion(cursor, path);
    const tensorCount = cursor.readCount('a tensor count', 24);
    const metadataCount = cursor.readCount('a metadata count', 13);
    const { metadata, valueRanges } = readMetadata(cursor, metadataCount);
    const descriptions = readTensorDescriptions(cursor, tensorCount, path);
    const dataStart = alignUp(cursor.offset, readAlignment(cursor, metadata));
    const tensors = placeTensors(cursor, descriptions, dataStart, file.bytes);
    return { path, version, metadata, valueRanges, tensors: new StoredTensors(file, tensors) };
  } catch (error) {
    file.close();
    throw error;
  }
}

function readVersion(cursor: GgufCursor, path: string): number {
  const found = cursor.readUint32();
  if (found !== magic) {
    cursor.fail('a file that starts with "GGUF"', `0x${found.toString(16).padStart(8, '0')}`);
  }
  const version = cursor.readUint32();
  if (version === 2 || version === 3) return version;
  const isSwapped = (version & 0xffff) === 0 && version !== 0;
  throw new TuneError(
    'model-unsupported',
    `${path}: expected GGUF version 2 or 3, got ${isSwapped ? 'a big-endian file' : version}`,
    { file: path, hint: 'Convert the model again with a current llama.cpp, little-endian.' },
  );
}

function readMetadata(cursor: GgufCursor, count: number): Pick<GgufFile, 'metadata' | 'valueRanges'> {
  const metadata = new Map<string, GgufValue>();
  const valueRanges = new Map<string, GgufValueRange>();
  for (let i = 0; i < count; i++) {
    const key = readName(cursor, 'a metadata key');
    if (metadata.has(key)) cursor.fail('each metadata key once', `${quote(key)} twice`);
    const offset = cursor.offset;
    metadata.set(key, cursor.readValue(key, cursor.readUint32()));
    valueRanges.set(key, { offset, bytes: cursor.offset - offset });
  }
  return { metadata, valueRanges };
}

function readName(cursor: GgufCursor, what: string): string {
  const name = cursor.readString(what, true);
  return name.length <= maxNameBytes ? name : cursor.fail(`${what} of at most ${maxNameBytes} bytes`, `${name.length}`);
}

function readTensorDescriptions(cursor: GgufCursor, count: number, path: string): StoredTensor[] {
  const names = new Set<string>();
  const descriptions: StoredTensor[] = [];
  for (let i = 0; i < count; i++) {
    const name = readName(cursor, 'a tensor name');
    if (names.has(name)) cursor.fail('each tensor once', `${quote(name)} twice`);
    names.add(name);
    descriptions.push(readTensorDescription(cursor, name, path));
  }
  return descriptions;
}

/** `fileOffset` is still relative to the start of the data. */
function readTensorDescription(cursor: GgufCursor, name: string, path: string): StoredTensor {
  const dimensions = cursor.readUint32();
  if (dimensions > maxDimensions)
    cursor.fail(`at most ${maxDimensions} dimensions for ${quote(name)}`, `${dimensions}`);
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.unshift(cursor.readUint64(`a dimension of ${quote(name)}`));
  const typeNumber = cursor.readUint32();
  const type = ggufTensorTypes.get(typeNumber);
  if (!type) {
    throw new TuneError('model-unsupported', `${path}: expected a known tensor type, got ${typeNumber} in ${name}`, {
      file: path,
      hint: 'Use a file in one of the types F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K.',
    });
  }
  const fileOffset = cursor.readUint64(`an offset of ${quote(name)}`);
  const elements = countElements(shape);
  const rowElements = shape.at(-1) ?? 1;
  if (rowElements % type.blockElements !== 0) {
    cursor.fail(
      `rows of ${quote(name)} in whole blocks of ${type.blockElements} (${type.name})`,
      `${rowElements} weights`,
    );
  }
  const storedBytes = (elements / type.blockElements) * type.blockBytes;
  if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(fileOffset + storedBytes)) {
    cursor.fail(`a countable size for ${quote(name)}`, `shape [${shape.join(', ')}] of ${type.name}`);
  }
  return { name, dtype: type.name, shape, storedBytes, fileOffset, codec: type.codec };
}

function readAlignment(cursor: GgufCursor, metadata: GgufMetadata): number {
  const alignment = metadata.get('general.alignment') ?? 32;
  if (
    typeof alignment === 'number' &&
    alignment >= 1 &&
    alignment <= 65_536 &&
    Number.isInteger(Math.log2(alignment))
  ) {
    return alignment;
  }
  return cursor.fail('general.alignment to be a power of two up to 65536', String(alignment).slice(0, 80));
}

function placeTensors(
  cursor: GgufCursor,
  descriptions: readonly StoredTensor[],
  dataStart: number,
  fileBytes: number,
): ReadonlyMap<string, StoredTensor> {
  const placed = descriptions.map(tensor => ({ ...tensor, fileOffset: dataStart + tensor.fileOffset }));
  let end = dataStart;
  for (const tensor of [...placed].sort((a, b) => a.fileOffset - b.fileOffset)) {
    if (tensor.fileOffset < end) {
      cursor.fail(`the data of ${quote(tensor.name)} at byte ${end} or later`, `an overlap: ${tensor.fileOffset}`);
    }
    end = tensor.fileOffset + tensor.storedBytes;
    if (end > fileBytes) {
      cursor.fail(`at least ${end} bytes, the end of ${quote(tensor.name)}`, `a file of ${fileBytes} bytes`);
    }
  }
  return new Map(placed.map(tensor => [tensor.name, tensor]));
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
