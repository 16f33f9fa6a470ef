/** @file A prepared run -> the start values of what is trained that are neither the base model's own nor PEFT's zeros. */
import { encodeFloats } from '../../formats/encodeFloats.ts';
import type { TensorToWrite } from '../../formats/writeSafetensors.ts';
import { chooseTrainable } from '../../models/chooseTrainable.ts';
import { describeAdapter } from '../../models/trainableSpec.ts';
import { initializeAdapter } from '../../train/initializeLora.ts';
import { loraScale } from '../../train/loraScale.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';

/** By the names of checkpoints, the same numbers that the embedded engine starts from. */
export function startTensors({
  record,
  architecture,
  start,
}: Pick<PreparedRun, 'record' | 'architecture' | 'start'>): TensorToWrite[] {
  const { hyperparameters } = record;
  if (hyperparameters.method === 'full') return [];
  const { rank, seed, adaLora, dora } = hyperparameters;
  const { targets, whole } = chooseTrainable(architecture, hyperparameters);
  const spec = {
    rank,
    scale: loraScale(hyperparameters),
    mergesWeights: false,
    adaptsRank: adaLora,
    gains: dora ? ('trained' as const) : undefined,
    targets: new Set(targets.map(({ name }) => name)),
  };
  const trained = [...targets.flatMap(weight => describeAdapter(weight, spec)), ...whole];
  return trained.flatMap(tensor => {
    const value = start?.values.get(tensor.name) ?? initializeAdapter(seed, tensor, adaLora);
    if (value === undefined) return [];
    const { name, shape } = tensor;
    return [{ name, dtype: 'F32' as const, shape, readPieces: () => [encodeFloats(value, 'F32')] }];
  });
}
