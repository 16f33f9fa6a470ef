/** @file A model -> all its parameters, each once, in the order in which a forward pass needs them. */
import type { ParameterInfo } from './architecture.ts';
import type { Model } from './findArchitecture.ts';

export function listParameters({ architecture, config }: Model): ParameterInfo[] {
  const { embedding, layers, finalNorm, head } = architecture.describeParameters(config);
  return [...new Set([embedding, ...layers.flat(), finalNorm, head])];
}
