/**
 * @file adapter_config.json: LoRA settings <-> the fields of PEFT 0.21's LoraConfig.
 * @see https://huggingface.co/docs/peft/package_reference/lora
 */
import { z } from 'zod';

export interface LoraSettings {
  /** Hub id or path of the model that the adapter belongs to. */
  readonly baseModel: string;
  readonly rank: number;
  readonly alpha: number;
  readonly rsLora: boolean;
  readonly dropout: number;
  readonly dora: boolean;
  readonly targetModules: readonly string[];
  /** Where a module differs, by the end of its name. */
  readonly rankPattern?: Readonly<Record<string, number>> | undefined;
  readonly alphaPattern?: Readonly<Record<string, number>> | undefined;
  /** Numbers of blocks; absent: all. */
  readonly layersToTransform?: readonly number[] | undefined;
  /** Ends of the names of modules whose own weights are saved beside. */
  readonly modulesToSave?: readonly string[] | undefined;
}

/** The contents of adapter_config.json, keys in PEFT's order. */
export function toPeftConfig(settings: LoraSettings): Record<string, unknown> {
  return {
    alora_invocation_tokens: null,
    alpha_pattern: settings.alphaPattern ?? {},
    arrow_config: null,
    auto_mapping: null,
    base_model_name_or_path: settings.baseModel,
    bias: 'none',
    corda_config: null,
    ensure_weight_tying: false,
    eva_config: null,
    exclude_modules: null,
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: settings.layersToTransform ?? null,
    loftq_config: {},
    lora_alpha: settings.alpha,
    lora_bias: false,
    lora_dropout: settings.dropout,
    megatron_config: null,
    megatron_core: 'megatron.core',
    modules_to_save: settings.modulesToSave?.length ? settings.modulesToSave : null,
    peft_type: 'LORA',
    peft_version: '0.21.2',
    qalora_group_size: 16,
    r: settings.rank,
    rank_pattern: settings.rankPattern ?? {},
    revision: null,
    target_modules: [...settings.targetModules],
    target_parameters: null,
    task_type: 'CAUSAL_LM',
    trainable_token_indices: null,
    use_dora: settings.dora,
    use_qalora: false,
    use_rslora: settings.rsLora,
  };
}

/** What this engine can apply; anything that would change the result beyond it is refused by name. */
export const peftConfigSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  base_model_name_or_path: z.string().nullish(),
  r: z.number().int().min(1),
  lora_alpha: z.number(),
  target_modules: z.union([z.string(), z.array(z.string()).min(1)]),
  use_rslora: z.boolean().nullish(),
  use_dora: z.boolean().nullish(),
  use_qalora: z.literal(false).nullish(),
  lora_bias: z.literal(false).nullish(),
  bias: z.literal('none').nullish(),
  fan_in_fan_out: z.literal(false).nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  layers_to_transform: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  layer_replication: z.null().optional(),
  rank_pattern: z.record(z.string(), z.number()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
});
export type PeftConfig = z.infer<typeof peftConfigSchema>;
