/** @file config.json -> how large the model is, without looking at its weights. */
import type { ModelSize } from '../../shared/datasetProtocol.ts';
import type { ParameterInfo } from './architecture.ts';
import { type Model, readModel } from './findArchitecture.ts';

/** @throws TuneError `model-invalid` | `model-unsupported` */
export function measureModel(configJson: unknown): ModelSize {
  const model = readModel(configJson);
  const { hiddenSize, maxContextTokens } = model.config;
  return { hiddenSize, parameterCount: countParameters(model), maxContextTokens };
}

export function countParameters({ architecture, config }: Model): number {
  const { embedding, layers, finalNorm, head } = architecture.describeParameters(config);
  // A tied head is the embedding itself.
  const parameters = [...new Set([embedding, ...layers.flat(), finalNorm, head])];
  return parameters.reduce((sum, parameter) => sum + countElements(parameter), 0);
}

function countElements({ shape }: ParameterInfo): number {
  return shape.reduce((product, size) => product * size, 1);
}
