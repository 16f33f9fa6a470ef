/**
 * @file The parameters of a model as tensors that fit into memory: each one tensor, but large tables (embedding, head)
 * in shards of rows, since hosts end a process over one allocation of 512 MB or more.
 */
import { TuneError } from '../../shared/errors.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import type { ParameterInfo } from './architecture.ts';
import type { Model } from './findArchitecture.ts';
import { formOf } from './weightForm.ts';

/** A parameter or a shard of one. Its name is that of the graph input. */
export interface ParameterTensor extends ParameterInfo {
  /** For a shard: the parameter it belongs to, and the first of its rows. */
  readonly shard?: { readonly of: ParameterInfo; readonly firstRow: number } | undefined;
}

const defaultMaxTensorBytes = 256 * 2 ** 20;
/** A shard in blocks becomes floats in one piece, beside everything else that a step needs. */
const defaultMaxBlockShardBytes = 64 * 2 ** 20;

/** The tensors of an embedding or a head: itself, or its shards in order, named `<name>#0`, `<name>#1`... */
export function splitTable(model: Model, table: ParameterInfo): ParameterTensor[] {
  const isFloat = formOf(model, table).kind === 'float';
  const { maxTensorBytes = isFloat ? defaultMaxTensorBytes : defaultMaxBlockShardBytes, wholeTables } = model;
  const [rows, width] = table.shape as [number, number];
  const shardRows = Math.max(1, Math.floor(maxTensorBytes / (4 * width)));
  if (rows <= shardRows || wholeTables?.has(table.name)) return [table];
  return Array.from({ length: Math.ceil(rows / shardRows) }, (_, index) => {
    const firstRow = index * shardRows;
    const shape = [Math.min(shardRows, rows - firstRow), width];
    return { ...table, name: `${table.name}#${index}`, shape, shard: { of: table, firstRow } };
  });
}

/** Every weight once, in the order of a forward pass, tables in shards. */
export function listWeightTensors(model: Model): ParameterTensor[] {
  const { embedding, layers, finalNorm, head } = model.architecture.describeParameters(model.config);
  const tables = embedding === head ? [embedding] : [embedding, head];
  const [first, last] = tables.map(table => splitTable(model, table));
  return [...first!, ...layers.flat(), finalNorm, ...(last ?? [])];
}

/** The tensor's elements as float32. @throws TuneError `model-invalid` when it is missing or of another shape than the config says */
export function readParameterTensor(source: TensorSource, tensor: ParameterTensor, path?: string): Float32Array {
  checkStoredShape(source, tensor, path);
  const { name } = tensor.shard?.of ?? tensor;
  return tensor.shard
    ? source.readFloat32Rows(name, tensor.shard.firstRow, tensor.shape[0]!)
    : source.readFloat32(name);
}

/** @throws TuneError `model-invalid` when the tensor is missing or of another shape than the config says */
export function checkStoredShape(source: TensorSource, tensor: ParameterTensor, path?: string): void {
  const { name, shape } = tensor.shard?.of ?? tensor;
  const stored = source.info(name).shape;
  if (stored.length !== shape.length || stored.some((dim, axis) => dim !== shape[axis])) {
    const where = path === undefined ? name : `${path}, ${name}`;
    throw new TuneError('model-invalid', `${where}: expected shape [${shape.join(', ')}], got [${stored.join(', ')}]`, {
      file: path,
      hint: 'config.json does not belong to these weights: download the model again.',
    });
  }
}
