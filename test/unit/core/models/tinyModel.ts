import type { TensorSource } from '../../../../src/core/formats/tensorSource.ts';
import type { ParameterInfo } from '../../../../src/core/models/architecture.ts';
import { type Model, readModel } from '../../../../src/core/models/findArchitecture.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';

export const tinyConfig = {
  model_type: 'llama',
  vocab_size: 61,
  hidden_size: 64,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
};

export function makeTinyModel(changes: Readonly<Record<string, unknown>> = {}): Model {
  return readModel({ ...tinyConfig, ...changes });
}

/** Every parameter of the model once. */
export function listParameters({ architecture, config }: Model): ParameterInfo[] {
  const { embedding, layers, finalNorm, head } = architecture.describeParameters(config);
  return [...new Set([embedding, ...layers.flat(), finalNorm, head])];
}

/** Random weights in memory; norms near 1. */
export function makeTinyWeights(model: Model): TensorSource {
  const tensors = new Map(
    listParameters(model).map((parameter, index) => {
      const count = parameter.shape.reduce((product, dim) => product * dim, 1);
      const [from, to] = parameter.kind === 'norm' ? [0.8, 1.2] : [-0.25, 0.25];
      return [parameter.name, { parameter, data: Float32Array.from(seededNumbers(index * 31 + 17, count, from, to)) }];
    }),
  );
  return {
    names: [...tensors.keys()],
    info: name => ({
      name,
      dtype: 'F32',
      shape: tensors.get(name)!.parameter.shape,
      storedBytes: tensors.get(name)!.data.byteLength,
    }),
    readFloat32: name => tensors.get(name)!.data.slice(),
    readFloat32Rows(name, start, count) {
      const { parameter, data } = tensors.get(name)!;
      const width = data.length / parameter.shape[0]!;
      return data.slice(start * width, (start + count) * width);
    },
    readBytes: name => new Uint8Array(tensors.get(name)!.data.slice().buffer),
    close: () => undefined,
  };
}
