/**
 * @file A tuned model -> its adapter as a GGUF file, which llama.cpp loads beside the base's. Scales are multiplied into B, so
 * that patterns of ranks and rsLoRA need no keys. @see https://github.com/ggml-org/llama.cpp (convert_lora_to_gguf.py)
 */
import { join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { Adapter, LoraPair } from '../../adapter/readAdapter.ts';
import { requirePlain } from '../../adapter/stackAdapters.ts';
import { encodeFloats } from '../../formats/encodeFloats.ts';
import { openGguf } from '../../formats/gguf.ts';
import { type GgufTensorToWrite, serializeGguf } from '../../formats/writeGguf.ts';
import { foldScale } from '../../infer/adapterInputs.ts';
import type { ModelConfig } from '../../models/architecture.ts';
import { findGgufName, type GgufArchitecture } from '../../models/gguf/ggufArchitectures.ts';
import {
  deinterleaveHeads,
  interleaveHeads,
  toGgufName,
  toHuggingFaceName,
} from '../../models/gguf/ggufTensorNames.ts';
import { compareAdapters } from './compareAdapters.ts';
import { compareLogits, probe } from './compareExport.ts';
import type { ExportPlanner } from './exportPlan.ts';
import { requireAdapter, slugOf } from './openTuned.ts';

/** @throws TuneError `adapter-invalid` for DoRA and modules trained whole, `model-unsupported` */
export const planGgufLora: ExportPlanner = (tuned, { signal }) => {
  const adapter = requireAdapter(tuned, 'gguf-lora');
  requirePlain([adapter], 'A GGUF adapter cannot hold this: export the merged model with --format gguf.');
  const { config } = tuned.model;
  const found = findGgufName(config.modelType);
  if (found === undefined) {
    throw new TuneError('model-unsupported', `GGUF: expected a known architecture, got ${config.modelType}`, {
      hint: 'Export the adapter in PEFT format.',
    });
  }
  const { architecture } = found;
  const tensors = adapter.pairs.flatMap(pair => toTensors(pair, architecture, config));
  const metadata = {
    'general.architecture': found.name,
    'general.type': 'adapter',
    'general.name': tuned.name,
    'adapter.type': 'lora',
  };
  const name = `${slugOf(tuned.name)}-lora.gguf`;
  return {
    file: name,
    files: [{ name, pieces: serializeGguf(tensors, metadata) }],
    totalBytes: adapter.pairs.reduce((sum, { a, b }) => sum + a.byteLength + b.byteLength, 0),
    async check(staged, expected) {
      const path = join(staged, name);
      const tool = "Tuning Fork's reader of GGUF files";
      const written = readGgufAdapter(path, architecture, config);
      const compared = compareAdapters(adapter, written, { tool, path });
      if (expected === undefined) return compared;
      const { logits } = await probe(tuned.base, written, expected.tokenIds, signal);
      return compareLogits(expected, logits, { tool, type: 'float32', path });
    },
  };
};

function toTensors(pair: LoraPair, architecture: GgufArchitecture, config: ModelConfig): GgufTensorToWrite[] {
  const { module, rank, a, inputSize, outputSize } = pair;
  const name = toGgufName(`${module}.weight`, architecture);
  if (name === undefined) throw new Error(`internal: GGUF: expected a name for ${module}, got none`);
  const heads = countInterleavedHeads(module, architecture, config);
  const scaled = foldScale(pair);
  const b = heads === undefined ? scaled : interleaveHeads(scaled, outputSize, heads);
  return [
    { name: `${name}.lora_a`, dtype: 'F32', shape: [rank, inputSize], readPieces: () => [encodeFloats(a, 'F32')] },
    { name: `${name}.lora_b`, dtype: 'F32', shape: [outputSize, rank], readPieces: () => [encodeFloats(b, 'F32')] },
  ];
}

function countInterleavedHeads(
  module: string,
  { hasInterleavedHeads }: GgufArchitecture,
  { heads, keyValueHeads }: ModelConfig,
): number | undefined {
  if (!hasInterleavedHeads) return undefined;
  if (module.endsWith('.q_proj')) return heads;
  return module.endsWith('.k_proj') ? keyValueHeads : undefined;
}

/** What llama.cpp finds in such a file, with rows in Hugging Face's order. */
function readGgufAdapter(path: string, architecture: GgufArchitecture, config: ModelConfig): Adapter {
  const { tensors } = openGguf(path);
  try {
    const stems = tensors.names.flatMap(name => /^(.+)\.lora_a$/.exec(name)?.[1] ?? []);
    const pairs = stems.map((stem): LoraPair => {
      const module = toHuggingFaceName(stem, architecture)!.replace(/\.weight$/, '');
      const [rank, inputSize] = tensors.info(`${stem}.lora_a`).shape as [number, number];
      const outputSize = tensors.info(`${stem}.lora_b`).shape[0]!;
      const heads = countInterleavedHeads(module, architecture, config);
      const stored = tensors.readFloat32(`${stem}.lora_b`);
      const b = heads === undefined ? stored : deinterleaveHeads(stored, outputSize, heads);
      return { module, rank, scale: 1, a: tensors.readFloat32(`${stem}.lora_a`), b, inputSize, outputSize };
    });
    return { path, baseModel: null, pairs, saved: [], coversAllLayers: false };
  } finally {
    tensors.close();
  }
}
