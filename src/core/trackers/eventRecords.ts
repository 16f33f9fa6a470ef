/**
 * @file TensorBoard's events -> bytes of an event file: protocol buffers in checksummed records. Follows the proto files
 * event.proto and summary.proto, and the hparams plugin's plugin_data.proto, of TensorBoard 2.
 */
import { ProtobufWriter } from '../formats/protobufWriter.ts';
import { maskedCrc32c } from './crc32c.ts';

const sessionStart = 1;
const floatType = 1;
const stringType = 7;
const scalarClass = 1;
const tensorClass = 2;

export type HparamValue = number | string | boolean;

/** length u64, its masked checksum, data, the data's: all little-endian. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(16 + data.length);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

/** The first event of every file. */
export function encodeFileVersion(wallTime: number): Uint8Array {
  return encodeRecord(new ProtobufWriter().double(1, wallTime).text(3, 'brain.Event:2').finish());
}

/** Makes readers drop everything from `step` on that stands before it. */
export function encodeSessionStart(wallTime: number, step: number): Uint8Array {
  const log = new ProtobufWriter().int(1, sessionStart);
  return encodeRecord(startEvent(wallTime, step).message(7, log).finish());
}

export function encodeScalars(
  wallTime: number,
  step: number,
  values: readonly (readonly [string, number])[],
): Uint8Array {
  const summary = new ProtobufWriter();
  for (const [tag, value] of values) {
    const metadata = describePlugin('scalars', undefined, scalarClass);
    summary.message(1, new ProtobufWriter().text(1, tag).float(2, value).message(9, metadata));
  }
  return encodeRecord(startEvent(wallTime, step).message(5, summary).finish());
}

/** @param markdown shown by TensorBoard's Text tab */
export function encodeText(wallTime: number, step: number, tag: string, markdown: string): Uint8Array {
  const shape = new ProtobufWriter().message(2, new ProtobufWriter().int(1, 1)); // one dimension of size 1
  const tensor = new ProtobufWriter().int(1, stringType).message(2, shape).text(8, markdown);
  return encodeTensor(wallTime, step, tag, tensor, describePlugin('text', undefined, tensorClass));
}

/** A row of the HParams tab. */
export function encodeHparams(
  wallTime: number,
  group: string,
  values: readonly (readonly [string, HparamValue])[],
): Uint8Array {
  const start = new ProtobufWriter();
  for (const [name, value] of values) {
    start.message(1, new ProtobufWriter().text(1, name).message(2, encodeHparamValue(value)));
  }
  start.text(4, group).double(5, wallTime);
  return encodeHparamsData(wallTime, '_hparams_/session_start_info', new ProtobufWriter().message(3, start));
}

export function encodeHparamsEnd(wallTime: number, isSuccess: boolean): Uint8Array {
  const end = new ProtobufWriter().int(1, isSuccess ? 1 : 2).double(2, wallTime);
  return encodeHparamsData(wallTime, '_hparams_/session_end_info', new ProtobufWriter().message(4, end));
}

function encodeHparamsData(wallTime: number, tag: string, content: ProtobufWriter): Uint8Array {
  const shape = new ProtobufWriter().message(2, new ProtobufWriter()); // one dimension of size 0
  const nothing = new ProtobufWriter().int(1, floatType).message(2, shape);
  return encodeTensor(wallTime, 0, tag, nothing, describePlugin('hparams', content.finish()));
}

function encodeTensor(
  wallTime: number,
  step: number,
  tag: string,
  tensor: ProtobufWriter,
  metadata: ProtobufWriter,
): Uint8Array {
  const value = new ProtobufWriter().text(1, tag).message(8, tensor).message(9, metadata);
  return encodeRecord(startEvent(wallTime, step).message(5, new ProtobufWriter().message(1, value)).finish());
}

/** A `google.protobuf.Value`. */
function encodeHparamValue(value: HparamValue): ProtobufWriter {
  if (typeof value === 'number') return new ProtobufWriter().double(2, value);
  return typeof value === 'string' ? new ProtobufWriter().text(3, value) : new ProtobufWriter().int(4, value ? 1 : 0);
}

function describePlugin(name: string, content?: Uint8Array, dataClass?: number): ProtobufWriter {
  const plugin = new ProtobufWriter().text(1, name);
  if (content !== undefined) plugin.bytes(2, content);
  const metadata = new ProtobufWriter().message(1, plugin);
  return dataClass === undefined ? metadata : metadata.int(4, dataClass);
}

function startEvent(wallTime: number, step: number): ProtobufWriter {
  return new ProtobufWriter().double(1, wallTime).int(2, step);
}
