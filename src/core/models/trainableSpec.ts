/** @file What of a model is trained, and which tensors that makes. */
import type { ParameterInfo } from './architecture.ts';
import { loraParameterNames, magnitudeName, moduleOf, singularName } from './loraNames.ts';

/** The adapters to be trained, or `full` for the weights themselves. */
export type TrainableSpec = { readonly method: 'full' } | ({ readonly method: 'lora' } & LoraSpec);

export interface LoraSpec {
  readonly rank: number;
  /** alpha / rank, or alpha / sqrt(rank) for rsLoRA. */
  readonly scale: number;
  /** W + scale B A is made at each use, where W is in floats; see `Adapter`. */
  readonly mergesWeights: boolean;
  /** Elements of the adapters' inputs are dropped, by masks that are fed. */
  readonly drops?: boolean | undefined;
  /** DoRA: magnitudes that are trained, or, in evaluation of a finished adapter, gains that are fed. */
  readonly gains?: 'trained' | 'fed' | undefined;
  /** AdaLoRA: each rank has a factor of its own, which is trained. */
  readonly adaptsRank?: boolean | undefined;
  /** Linear weights that carry an adapter, by name. */
  readonly targets: ReadonlySet<string>;
  /** Ranks of adapters that stay as they are beneath, by module. */
  readonly stacked?: ReadonlyMap<string, number> | undefined;
  /** Parameters that are trained themselves, by name. */
  readonly whole?: ReadonlySet<string> | undefined;
}

/** Whether the parameter itself is trained, not only an adapter beside it. */
export function isTrained(trainable: TrainableSpec, { name }: { readonly name: string }): boolean {
  return trainable.method === 'full' || trainable.whole?.has(name) === true;
}

/** What is trained of one layer's adapter: A [rank, in], B [out, rank], for DoRA magnitudes [out]. */
export function describeAdapter(weight: ParameterInfo, { rank, gains, adaptsRank }: LoraSpec): TrainableTensor[] {
  const [out, inner] = weight.shape as [number, number];
  const names = loraParameterNames(moduleOf(weight));
  return [
    { name: names.a, shape: [rank, inner], kind: 'loraA' },
    { name: names.b, shape: [out, rank], kind: 'loraB' },
    ...(adaptsRank ? [{ name: singularName(moduleOf(weight)), shape: [rank, 1], kind: 'singular' as const }] : []),
    ...(gains ? [{ name: magnitudeName(moduleOf(weight)), shape: [out], kind: 'magnitude' as const }] : []),
  ];
}

/** What evaluation computes: the same without dropout. */
export function withoutDropout(trainable: TrainableSpec): TrainableSpec {
  return trainable.method === 'full' ? trainable : { ...trainable, drops: false };
}

export interface TrainableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: ParameterInfo['kind'] | 'loraA' | 'loraB' | 'magnitude' | 'singular';
}

/** The trainable tensors that a list of parameters brings, in order. */
export function listTrainable(parameters: readonly ParameterInfo[], trainable: TrainableSpec): TrainableTensor[] {
  return parameters.flatMap((parameter): TrainableTensor[] => {
    if (isTrained(trainable, parameter)) return [parameter];
    if (trainable.method === 'full' || !trainable.targets.has(parameter.name)) return [];
    return describeAdapter(parameter, trainable);
  });
}
