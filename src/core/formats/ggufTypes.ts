/** @file Every tensor type of GGUF by its number on disk: name, block size, and the codec of those that this engine decodes. */
import { q4_0Codec, q4_1Codec, q5_0Codec, q5_1Codec, q8_0Codec } from './ggufBlocks.ts';
import { q4KCodec, q5KCodec, q6KCodec } from './ggufSuperBlocks.ts';
import { floatCodecs, type TensorCodec } from './tensorCodec.ts';

export interface GgufTensorType {
  readonly name: string;
  readonly blockElements: number;
  readonly blockBytes: number;
  readonly codec: TensorCodec | undefined;
}

function decoded(name: string, codec: TensorCodec): GgufTensorType {
  return { name, blockElements: codec.blockElements, blockBytes: codec.blockBytes, codec };
}

function listed(name: string, blockElements: number, blockBytes: number): GgufTensorType {
  return { name, blockElements, blockBytes, codec: undefined };
}

/** @see https://github.com/ggml-org/llama.cpp (gguf-py/gguf/constants.py) */
export const ggufTensorTypes: ReadonlyMap<number, GgufTensorType> = new Map([
  [0, decoded('F32', floatCodecs.get('F32')!)],
  [1, decoded('F16', floatCodecs.get('F16')!)],
  [2, decoded('Q4_0', q4_0Codec)],
  [3, decoded('Q4_1', q4_1Codec)],
  [6, decoded('Q5_0', q5_0Codec)],
  [7, decoded('Q5_1', q5_1Codec)],
  [8, decoded('Q8_0', q8_0Codec)],
  [9, listed('Q8_1', 32, 40)],
  [10, listed('Q2_K', 256, 84)],
  [11, listed('Q3_K', 256, 110)],
  [12, decoded('Q4_K', q4KCodec)],
  [13, decoded('Q5_K', q5KCodec)],
  [14, decoded('Q6_K', q6KCodec)],
  [15, listed('Q8_K', 256, 292)],
  [16, listed('IQ2_XXS', 256, 66)],
  [17, listed('IQ2_XS', 256, 74)],
  [18, listed('IQ3_XXS', 256, 98)],
  [19, listed('IQ1_S', 256, 50)],
  [20, listed('IQ4_NL', 32, 18)],
  [21, listed('IQ3_S', 256, 110)],
  [22, listed('IQ2_S', 256, 82)],
  [23, listed('IQ4_XS', 256, 136)],
  [24, listed('I8', 1, 1)],
  [25, listed('I16', 1, 2)],
  [26, listed('I32', 1, 4)],
  [27, listed('I64', 1, 8)],
  [28, listed('F64', 1, 8)],
  [29, listed('IQ1_M', 256, 56)],
  [30, decoded('BF16', floatCodecs.get('BF16')!)],
  [34, listed('TQ1_0', 256, 54)],
  [35, listed('TQ2_0', 256, 66)],
  [39, listed('MXFP4', 32, 17)],
  [40, listed('NVFP4', 64, 36)],
  [41, listed('Q1_0', 128, 18)],
]);
