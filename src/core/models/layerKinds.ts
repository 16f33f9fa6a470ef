/** @file Which layers of a model are computed by the same graphs, and what the inputs of each are called there. */
import type { ParameterInfo } from './architecture.ts';
import { dropoutInputNames } from './dropoutInputs.ts';
import type { Model } from './findArchitecture.ts';
import { fedInputNames, moduleOf } from './loraNames.ts';
import { isTrained, listTrainable, type TrainableSpec } from './trainableSpec.ts';
import { describeWeightInputs, formOf } from './weightForm.ts';

/** A layer's tensor and its name in the graphs of the layer's kind. */
export interface LayerInput {
  readonly name: string;
  readonly slot: string;
}

export interface LayerPlan {
  /** The first layer of its kind, whose graphs and names it shares. */
  readonly kind: number;
  readonly trainables: readonly LayerInput[];
  /** All that may be fed, the trainable tensors among them. */
  readonly inputs: readonly LayerInput[];
}

/** For each layer, the first that attends, is computed and trained as it is: those of one number share their graphs. */
export function listLayerKinds(model: Model, trainable: TrainableSpec): number[] {
  const { layers } = model.architecture.describeParameters(model.config);
  const keys = layers.map((layer, number) => {
    const parameters = layer.map(parameter => [formOf(model, parameter), describeTraining(parameter, trainable)]);
    return JSON.stringify([model.config.layerAttention[number], parameters]);
  });
  return keys.map(key => keys.indexOf(key));
}

function describeTraining(parameter: ParameterInfo, trainable: TrainableSpec): unknown {
  if (isTrained(trainable, parameter)) return 'whole';
  if (trainable.method === 'full') return 'frozen';
  const { targets, stacked } = trainable;
  return [targets.has(parameter.name) ? 'adapter' : 'frozen', stacked?.get(moduleOf(parameter)) ?? 0];
}

export function planLayers(model: Model, trainable: TrainableSpec): LayerPlan[] {
  const { layers } = model.architecture.describeParameters(model.config);
  const kinds = listLayerKinds(model, trainable);
  return layers.map((layer, number) => {
    const kind = kinds[number]!;
    const first = layers[kind]!;
    const trainables = pairNames(listTrainable(layer, trainable), listTrainable(first, trainable));
    const weights = layer.flatMap((parameter, index) => {
      const form = formOf(model, parameter);
      return pairNames(describeWeightInputs(parameter, form), describeWeightInputs(first[index]!, form));
    });
    const fed = layer.flatMap((parameter, index) => pairNames(listFedInputs(parameter), listFedInputs(first[index]!)));
    return { kind, trainables, inputs: [...weights, ...trainables, ...fed] };
  });
}

/** What a weight's adapter may need beside its trainable tensors. */
function listFedInputs(weight: ParameterInfo): { readonly name: string }[] {
  const module = moduleOf(weight);
  const { weightSquares, stackedA, stackedB } = fedInputNames;
  return [dropoutInputNames.rows, weightSquares, stackedA, stackedB].map(nameOf => ({ name: nameOf(module) }));
}

function pairNames(
  tensors: readonly { readonly name: string }[],
  slots: readonly { readonly name: string }[],
): LayerInput[] {
  return tensors.map(({ name }, index) => ({ name, slot: slots[index]!.name }));
}
