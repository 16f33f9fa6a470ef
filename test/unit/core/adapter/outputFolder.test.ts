import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkTrained } from '../../../../src/core/adapter/checkTrained.ts';
import { baseModelName, type CardFacts, writeModelCard } from '../../../../src/core/adapter/modelCard.ts';
import { type OutputContents, outputFiles } from '../../../../src/core/adapter/outputFolder.ts';
import { readAdapter } from '../../../../src/core/adapter/readAdapter.ts';
import { openSafetensors, openSafetensorsFolder } from '../../../../src/core/formats/safetensors.ts';
import { nodeFolderFileSystem, replaceFolder } from '../../../../src/core/train/stagedFolder.ts';
import type { TrainableParameter } from '../../../../src/core/train/trainingEngine.ts';
import { freshTrainState } from '../../../../src/core/train/trainState.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../../../src/shared/hyperparameters.ts';
import { seededRandom } from '../../../support/bigramEngine.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const random = seededRandom(3);
function parameter(name: string, shape: number[]): TrainableParameter {
  const size = shape.reduce((product, n) => product * n, 1);
  const value = Float32Array.from({ length: size }, () => random() - 0.5);
  return { name, shape, value, gradient: new Float32Array(size), decays: true };
}

function facts(hyperparameters: Partial<Hyperparameters> = {}): CardFacts {
  return {
    name: 'Answers\nabout # health',
    model: {
      id: 'org/base',
      path: '/cache/models--org--base/snapshots/1',
      format: 'safetensors',
      modelType: 'llama',
      sha256: 'c'.repeat(64),
    },
    datasets: [
      {
        path: '/home/someone/private/rows.jsonl',
        sha256: 'd'.repeat(64),
        snapshot: 'e'.repeat(64),
        mapping: { kind: 'questionAnswer', fields: { question: 'q', answer: 'a' } },
        mappingChosen: false,
      },
    ],
    hyperparameters: { ...defaultHyperparameters, ...hyperparameters },
    forecast: {
      totalSteps: 100,
      trainRows: 90,
      heldOutRows: 10,
      tokensPerEpoch: 1000,
      supervisedTokensPerEpoch: 400,
      peakMemoryBytes: 1,
      memoryLimitBytes: 2,
      plan: 'whole',
      baseWeights: 'float32',
    },
    state: {
      ...freshTrainState,
      step: 100,
      baseEvalLossNats: 2.5,
      bestEvalLossNats: 1.25,
      bestStep: 80,
      lastLossNats: 1,
    },
  };
}

const tokenizer = {
  tokenizerJson: { model: { type: 'BPE' } },
  tokenizerConfig: { eos_token: '<|im_end|>', chat_template: 'stale', extra_eos_token_ids: [5] },
};

function contents(parameters: TrainableParameter[], hyperparameters: Partial<Hyperparameters> = {}): OutputContents {
  return {
    parameters,
    facts: facts(hyperparameters),
    tokenizer,
    chatTemplate: '{{ messages }}',
    layers: 4,
    config: { model_type: 'llama', torch_dtype: 'bfloat16' },
    generationConfig: { eos_token_id: [5] },
  };
}

function loraPair(module: string): TrainableParameter[] {
  return [
    parameter(`base_model.model.${module}.lora_A.weight`, [4, 6]),
    parameter(`base_model.model.${module}.lora_B.weight`, [8, 4]),
  ];
}

describe('outputFiles', () => {
  it('writes an adapter that reads back value for value, with the scale of its settings', () => {
    const folder = join(temporaryFolder(), 'adapter');
    const pair = loraPair('model.layers.0.self_attn.q_proj');
    replaceFolder(folder, outputFiles(contents(pair, { rank: 4, alpha: 16, rsLora: true })), nodeFolderFileSystem);
    const adapter = readAdapter(folder);
    expect(adapter).toMatchObject({ path: folder, baseModel: 'org/base' });
    expect(adapter.pairs).toEqual([
      {
        module: 'model.layers.0.self_attn.q_proj',
        rank: 4,
        scale: 8,
        a: pair[0]!.value,
        b: pair[1]!.value,
        inputSize: 6,
        outputSize: 8,
      },
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))).toMatchObject({
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      r: 4,
      lora_alpha: 16,
      use_rslora: true,
      bias: 'none',
      target_modules: ['q_proj'],
    });
  });

  it('keeps modules that are trained whole and the layers with adapters, as PEFT does', () => {
    const folder = join(temporaryFolder(), 'adapter');
    const head = parameter('lm_head.weight', [10, 6]);
    const settings = { rank: 4, layersToTransform: ['0', '2-3'], modulesToSave: ['lm_head'] };
    const parameters = [...loraPair('model.layers.0.self_attn.q_proj'), head];
    replaceFolder(folder, outputFiles(contents(parameters, settings)), nodeFolderFileSystem);
    const adapter = readAdapter(folder);
    expect(adapter.saved).toEqual([{ name: 'lm_head.weight', shape: [10, 6], data: head.value }]);
    expect(adapter.coversAllLayers).toBe(false);
    expect(openSafetensors(join(folder, 'adapter_model.safetensors')).tensors.names).toContain(
      'base_model.model.lm_head.weight',
    );
    expect(JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))).toMatchObject({
      layers_to_transform: [0, 2, 3],
      modules_to_save: ['lm_head'],
    });
  });

  it('puts the template beside the tokenizer and leaves its own fields out of it', () => {
    const folder = join(temporaryFolder(), 'adapter');
    replaceFolder(folder, outputFiles(contents(loraPair('m'))), nodeFolderFileSystem);
    expect(readFileSync(join(folder, 'chat_template.jinja'), 'utf8')).toBe('{{ messages }}');
    expect(JSON.parse(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'))).toEqual({
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: '<|im_end|>',
    });
  });

  it('writes a full model in shards that its index names, in float32', () => {
    const folder = join(temporaryFolder(), 'model');
    const parameters = ['a', 'b', 'c'].map(name => parameter(`model.${name}.weight`, [10, 10]));
    const files = outputFiles(contents(parameters, { method: 'full' }), 900);
    replaceFolder(folder, files, nodeFolderFileSystem);
    expect(readdirSync(folder)).toContain('model-00002-of-00002.safetensors');
    expect(existsSync(join(folder, 'adapter_config.json'))).toBe(false);
    const source = openSafetensorsFolder(folder);
    for (const { name, value } of parameters) expect(source.readFloat32(name)).toEqual(value);
    source.close();
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as unknown;
    expect(config).toEqual({ model_type: 'llama', dtype: 'float32' });
    const index = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8')) as unknown;
    expect(index).toMatchObject({ metadata: { total_size: 1200 } });
  });

  it('writes caps of logits as the floats that transformers insists on', () => {
    const folder = join(temporaryFolder(), 'model');
    const config = { model_type: 'gemma2', final_logit_softcapping: 30, attn_logit_softcapping: 50, head_dim: 256 };
    const full = contents([parameter('model.norm.weight', [4])], { method: 'full' });
    replaceFolder(folder, outputFiles({ ...full, config }), nodeFolderFileSystem);
    const text = readFileSync(join(folder, 'config.json'), 'utf8');
    expect(text).toContain('"final_logit_softcapping": 30.0,\n');
    expect(text).toContain('"attn_logit_softcapping": 50.0,\n');
    expect(JSON.parse(text)).toEqual({ ...config, dtype: 'float32' });
  });
});

describe('writeModelCard', () => {
  it("tells data, losses, settings, base model and licences, and nobody's folders", () => {
    const card = writeModelCard(facts());
    const told = [
      'base_model: "org/base"',
      '# Answers about # health',
      '| 2.5000 |',
      'step 80 | 1.2500 |',
      '## Licence',
    ];
    const more = ['rows.jsonl (questionAnswer)', 'd'.repeat(64), 'c'.repeat(64), '| learningRate | 0.0002 |'];
    for (const text of [...told, ...more]) expect(card).toContain(text);
    expect(card).not.toMatch(/home|private|cache/);
  });

  it('says which weights an adapter belongs to that was trained beside 4 bit', () => {
    const given = facts();
    const card = writeModelCard({ ...given, forecast: { ...given.forecast, baseWeights: '4bit' } });
    expect(card).toContain('it belongs to the dequantized weights');
    expect(writeModelCard(given)).not.toContain('dequantized');
  });

  it('leaves out what a full run has not', () => {
    const card = writeModelCard(facts({ method: 'full' }));
    expect(card).not.toContain('| rank |');
    expect(card).toContain('library_name: transformers');
  });
});

describe('baseModelName', () => {
  it.each([
    ['org/base', '/cache/models--org--base/snapshots/1', 'org/base'],
    ['models/base', '/data/models/base', '/data/models/base'],
    ['tiny', '/opt/media/tiny', '/opt/media/tiny'],
  ])('of %s at %s is %s', (id, path, expected) => {
    expect(baseModelName({ ...facts().model, id, path })).toBe(expected);
  });
});

describe('readAdapter', () => {
  function written(change: (folder: string) => void, parameters = loraPair('model.layers.0.mlp.up_proj')): string {
    const folder = join(temporaryFolder(), 'adapter');
    replaceFolder(folder, outputFiles(contents(parameters, { rank: 4, alpha: 8 })), nodeFolderFileSystem);
    change(folder);
    return folder;
  }
  const setConfig = (more: object) => (folder: string) => {
    const path = join(folder, 'adapter_config.json');
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...more }));
  };

  it('finds the complete version when a process was killed while replacing it', () => {
    const folder = written(() => undefined);
    nodeFolderFileSystem.renameSync(folder, `${folder}.old`);
    expect(readAdapter(folder).pairs).toHaveLength(1);
  });

  it.each([
    ['another kind of adapter', setConfig({ peft_type: 'IA3' }), /peft_type/],
    [
      'DoRA without magnitudes',
      setConfig({ use_dora: true }),
      /a lora_magnitude_vector \[8\] of model.layers.0.mlp.up_proj, got none/,
    ],
    ['trained biases', setConfig({ bias: 'all' }), /bias/],
    ['modules_to_save without their weights', setConfig({ modules_to_save: ['lm_head'] }), /modules_to_save/],
    ['no config', (folder: string) => writeFileSync(join(folder, 'adapter_config.json'), '{'), /adapter_config.json/],
    [
      'cut weights',
      (folder: string) => writeFileSync(join(folder, 'adapter_model.safetensors'), 'xx'),
      /adapter_model/,
    ],
  ])('refuses %s by name', (_what, change, message) => {
    const folder = written(change);
    expect(() => readAdapter(folder)).toThrow(message);
    expect(() => readAdapter(folder)).toThrow(expect.objectContaining({ code: 'adapter-invalid' }));
  });

  it('refuses half a pair and matrices that do not fit', () => {
    const [a, b] = loraPair('q_proj');
    expect(() => readAdapter(written(() => undefined, [a!]))).toThrow(/both lora_A and lora_B of q_proj/);
    const wide = parameter(b!.name, [8, 5]);
    expect(() => readAdapter(written(() => undefined, [a!, wide]))).toThrow(/\[8, 5\]/);
  });

  it('names a folder that is no adapter', () => {
    const folder = join(temporaryFolder(), 'none');
    mkdirSync(folder);
    expect(() => readAdapter(folder)).toThrow(/ENOENT/);
  });
});

describe('checkTrained', () => {
  const zeroed = () =>
    loraPair('m').map(p => (p.name.includes('lora_B') ? { ...p, value: new Float32Array(p.value.length) } : p));

  it('refuses an adapter whose B never moved', () => {
    expect(() => checkTrained(zeroed(), 5)).toThrow(expect.objectContaining({ code: 'engine' }));
  });

  it('passes one that moved, one that was not trained, and a full model', () => {
    checkTrained(loraPair('m'), 5);
    checkTrained(zeroed(), 0);
    checkTrained([parameter('model.norm.weight', [4])], 5);
  });
});
