/** @file A tuned model -> its adapter in PEFT's format: a run's own files as they are, several adapters as their sum. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describePairs } from '../../adapter/pairSettings.ts';
import { toPeftConfig } from '../../adapter/peftConfig.ts';
import { type Adapter, adapterFileNames, readAdapter } from '../../adapter/readAdapter.ts';
import { jsonFile, tokenizerFolderFiles } from '../../adapter/tokenizerFolder.ts';
import { encodeFloats } from '../../formats/encodeFloats.ts';
import { serializeSafetensors } from '../../formats/writeSafetensors.ts';
import { loraParameterNames } from '../../models/loraNames.ts';
import type { FileToWrite } from '../../train/stagedFolder.ts';
import { compareAdapters } from './compareAdapters.ts';
import { compareLogits, probe } from './compareExport.ts';
import type { ExportPlanner } from './exportPlan.ts';
import { requireAdapter, type TunedModel } from './openTuned.ts';

const pieceBytes = 16 * 2 ** 20;
const tool = "Tuning Fork's reader of PEFT folders";

/** @throws TuneError `adapter-invalid` for a full run */
export const planPeft: ExportPlanner = (tuned, { signal }) => {
  const adapter = requireAdapter(tuned, 'peft');
  const [folder] = tuned.adapterFolders;
  const isOne = tuned.adapterFolders.length === 1;
  return {
    files: isOne ? copyFiles(folder!) : sumFiles(tuned, adapter),
    totalBytes: isOne ? measureFiles(folder!) : countBytes(adapter),
    async check(staged, expected) {
      const written = readAdapter(staged);
      const compared = compareAdapters(adapter, written, { tool, path: staged });
      if (expected === undefined) return compared;
      const { logits } = await probe(tuned.base, written, expected.tokenIds, signal);
      return compareLogits(expected, logits, { tool, type: 'float32', path: staged });
    },
  };
};

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => name);
}

function measureFiles(folder: string): number {
  return listFiles(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function copyFiles(folder: string): FileToWrite[] {
  return listFiles(folder).map(name => ({ name, pieces: readPieces(join(folder, name)) }));
}

function* readPieces(path: string): Generator<Uint8Array> {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(pieceBytes);
    for (let bytes = readSync(descriptor, buffer); bytes > 0; bytes = readSync(descriptor, buffer)) {
      yield buffer.subarray(0, bytes);
    }
  } finally {
    closeSync(descriptor);
  }
}

function countBytes({ pairs }: Adapter): number {
  return pairs.reduce((sum, { a, b }) => sum + a.byteLength + b.byteLength, 0);
}

function sumFiles({ base, chatTemplate }: TunedModel, adapter: Adapter): FileToWrite[] {
  const tensors = adapter.pairs.flatMap(({ module, rank, a, b, inputSize, outputSize }) => {
    const names = loraParameterNames(module);
    const toTensor = (name: string, shape: number[], values: Float32Array) => ({
      name,
      dtype: 'F32' as const,
      shape,
      readPieces: () => [encodeFloats(values, 'F32')],
    });
    return [toTensor(names.a, [rank, inputSize], a), toTensor(names.b, [outputSize, rank], b)];
  });
  const settings = { baseModel: adapter.baseModel ?? base.id, rsLora: false, dropout: 0, dora: false };
  return [
    { name: adapterFileNames.weights, pieces: serializeSafetensors(tensors, { format: 'pt' }) },
    jsonFile(adapterFileNames.config, toPeftConfig({ ...settings, ...describePairs(adapter.pairs) })),
    ...tokenizerFolderFiles(base.tokenizer, chatTemplate),
  ];
}
