/** @file Which linear layers carry LoRA, and what their matrices are called. @see PEFT's adapter_model.safetensors */
import type { ParameterInfo } from './architecture.ts';

/** `model.layers.0.self_attn.q_proj.weight` -> `model.layers.0.self_attn.q_proj` */
export function moduleOf(weight: ParameterInfo): string {
  return weight.name.slice(0, weight.name.lastIndexOf('.'));
}

/** As PEFT writes them, without an adapter's name. A is [rank, in], B is [out, rank]. */
export function loraParameterNames(module: string): { readonly a: string; readonly b: string } {
  return { a: `base_model.model.${module}.lora_A.weight`, b: `base_model.model.${module}.lora_B.weight` };
}

/** As PEFT writes DoRA's magnitudes: [out]. */
export function magnitudeName(module: string): string {
  return `base_model.model.${module}.lora_magnitude_vector`;
}

/** AdaLoRA's singular values: [R, 1]. */
export function singularName(module: string): string {
  return `base_model.model.${module}.lora_E`;
}

/** Graph inputs that are fed beside an adapter's own tensors. */
export const fedInputNames = {
  /** [out]: the squared lengths of the weight's rows, for DoRA in training. */
  weightSquares: (module: string): string => `${module}.weight_squares`,
  /** [out]: DoRA's gain where nothing of it is trained. */
  gain: (module: string): string => `${module}.gain`,
  /** [R, in] and [out, R]: an adapter that stays as it is beneath, its scale multiplied into B. */
  stackedA: (module: string): string => `${module}.stacked_A`,
  stackedB: (module: string): string => `${module}.stacked_B`,
} as const;

/** The linear weights that `targetModules` names: the last part of a module's name or its whole end, as PEFT matches. */
export function findTargets(parameters: Iterable<ParameterInfo>, targetModules: readonly string[]): ParameterInfo[] {
  return [...parameters].filter(parameter => {
    if (parameter.kind !== 'linear') return false;
    const module = moduleOf(parameter);
    return targetModules.some(target => module === target || module.endsWith(`.${target}`));
  });
}
