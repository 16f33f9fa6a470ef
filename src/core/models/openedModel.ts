/** @file A base model wherever it was found: what `openModel` gives to everything that trains, decodes or exports. */
import { createHash } from 'node:crypto';
import { RandomAccessFile, readChunkBytes } from '../formats/randomAccessFile.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import type { TokenizerFiles } from '../formats/tokenizerFiles.ts';

export interface OpenModel {
  /** As the user named it: `tiny`, a path, a Hub id. */
  readonly id: string;
  /** The folder, or the .gguf file, absolute. */
  readonly path: string;
  readonly format: 'safetensors' | 'gguf';
  /** Hugging Face's `model_type`, which names the architecture's file. */
  readonly modelType: string;
  /** The contents of config.json, or what a GGUF file says in its form. Names as on disk; values unchecked. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>> | undefined;
  /** Under Hugging Face's names and in its layout; opened when first asked. */
  readonly weights: TensorSource;
  /** Read when first asked. @throws TuneError `tokenizer-invalid` */
  readonly tokenizer: TokenizerFiles;
  readonly weightFiles: readonly WeightFile[];
  /** Over the weight files' bytes in name order; computed once. */
  computeSha256(): string;
  close(): void;
}

export interface WeightFile {
  readonly path: string;
  readonly bytes: number;
}

/** The sha256 of the files' bytes one after the other, in the order of their names. */
export function hashWeightFiles(files: readonly WeightFile[]): string {
  const hash = createHash('sha256');
  const paths = files.map(file => file.path).sort();
  for (const path of paths) {
    const file = RandomAccessFile.open(path);
    try {
      for (let at = 0; at < file.bytes; at += readChunkBytes) {
        hash.update(file.read(at, Math.min(readChunkBytes, file.bytes - at)));
      }
    } finally {
      file.close();
    }
  }
  return hash.digest('hex');
}
