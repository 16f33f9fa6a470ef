/** Random models with random adapters, exported in every format, read back and compared with the tuned model. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGguf } from '../../../../../src/core/formats/gguf.ts';
import { openSafetensors } from '../../../../../src/core/formats/safetensors.ts';
import { type ExportRequest, exportTuned } from '../../../../../src/core/jobs/export/exportTuned.ts';
import type { ExportFormat, ExportResult, ExportType } from '../../../../../src/shared/exportFormats.ts';
import { makeTemporaryFolder } from '../../../../support/temporaryFolder.ts';
import { tinyChatModel, writeTinyAdapter, writeTinyChatModel } from '../../../../support/tinyChatModel.ts';

const { path: folder, remove } = makeTemporaryFolder();
const model = join(folder, 'base');
const adapter = join(folder, 'adapter');
const every = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
const options = { models: { tinyFolder: '' } };

beforeAll(() => {
  writeTinyChatModel(model);
  writeTinyAdapter(adapter, { targetModules: every });
});

afterAll(remove);

let count = 0;
function exportIt(format: ExportFormat, dtype: ExportType | null, changes: Partial<ExportRequest> = {}) {
  const out = join(folder, `out-${count++}`);
  return exportTuned({ paths: [adapter], model, format, dtype, out, ...changes }, options);
}

const read = (result: ExportResult, name: string): string => readFileSync(join(result.path, name), 'utf8');

describe('exportTuned', () => {
  it.each([
    ['peft', null, 1e-6],
    ['gguf-lora', null, 1e-5],
    ['merged', 'float32', 1e-5],
    ['merged', 'float16', 0.01],
    ['merged', 'bfloat16', 0.06],
    ['gguf', 'float32', 1e-5],
    ['gguf', 'float16', 0.01],
    ['gguf', 'q8_0', 0.1],
    ['gguf', 'q4_0', 0.7],
    ['onnx', 'float32', 1e-5],
    ['onnx', 'float16', 0.01],
  ] as const)('writes %s in %s with the logits of the tuned model', async (format, dtype, largest) => {
    const { check, bytes, path } = await exportIt(format, dtype);
    expect(check.tokens).toBeGreaterThan(20);
    expect(check.difference).toBeLessThan(largest);
    expect(bytes).toBeGreaterThan(1000);
    expect(existsSync(`${path}.tmp`)).toBe(false);
  });

  it('takes the usual type of a format, and refuses one that it has not', async () => {
    const result = await exportIt('merged', null);
    expect(result.dtype).toBe('bfloat16');
    expect(JSON.parse(read(result, 'config.json'))).toMatchObject({ dtype: 'bfloat16' });
    const { tensors } = openSafetensors(join(result.path, 'model.safetensors'));
    expect(new Set(tensors.names.map(name => tensors.info(name).dtype))).toEqual(new Set(['BF16']));
    tensors.close();
    await expect(exportIt('merged', 'q4_0')).rejects.toMatchObject({ code: 'usage' });
  });

  it('exports a merged GGUF model anew: keys stay, and weights in the same type stay as they are', async () => {
    const first = await exportIt('gguf', 'q8_0');
    const name = readdirSync(first.path).find(each => each.endsWith('.gguf'))!;
    const again = await exportIt('gguf', 'q8_0', {
      paths: [join(folder, 'nothing')],
      model: join(first.path, name),
    }).catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'adapter-invalid' });
    const idle = writeTinyAdapter(join(folder, 'idle'), { targetModules: ['q_proj'], strength: 0 });
    const copy = await exportIt('gguf', 'q8_0', { paths: [idle], model: join(first.path, name) });
    expect(copy.check.difference).toBeLessThan(0.01);
  });

  it('has the magnitudes of DoRA in merged weights, and refuses them where a format cannot hold them', async () => {
    const dora = join(folder, 'dora');
    writeTinyAdapter(dora, {
      targetModules: ['q_proj', 'down_proj'],
      change: tensors => [
        ...tensors,
        ...tensors
          .filter(({ name }) => name.includes('lora_B'))
          .map(({ name, shape }) => ({
            name: name.replace('lora_B.weight', 'lora_magnitude_vector'),
            shape: shape.slice(0, 1),
            values: Array.from({ length: shape[0]! }, (_, i) => 0.5 + (i % 5) / 4),
          })),
      ],
    });
    const path = join(dora, 'adapter_config.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), use_dora: true }));
    expect((await exportIt('merged', 'float32', { paths: [dora] })).check.difference).toBeLessThan(1e-5);
    expect((await exportIt('gguf', 'float32', { paths: [dora] })).check.difference).toBeLessThan(1e-5);
    const refused = exportIt('gguf-lora', null, { paths: [dora] });
    await expect(refused).rejects.toThrow(/plain LoRA adapter, got one with DoRA/);
  });

  it.each([
    ['mistral', {}],
    ['qwen2', {}],
    ['qwen3', {}],
    ['olmo2', {}],
    ['phi3', { partial_rotary_factor: 0.5 }],
    ['smollm3', { num_hidden_layers: 4 }],
    ['gemma2', { head_dim: 16, query_pre_attn_scalar: 16, sliding_window: 64 }],
    ['gemma3_text', { head_dim: 16, query_pre_attn_scalar: 16, sliding_window: 64, rope_parameters: null }],
    ['llama', { tie_word_embeddings: false, attention_bias: true }],
    [
      'llama',
      {
        rope_parameters: {
          rope_type: 'llama3',
          rope_theta: 5e5,
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 64,
        },
      },
    ],
  ] as const)('reads %s back out of GGUF, a folder and ONNX (%j)', async (modelType, changes) => {
    const base = join(folder, `arch-${count++}`);
    writeTinyChatModel(base, { model_type: modelType, ...changes });
    const plain = join(folder, `full-${count++}`);
    mkdirSync(plain);
    for (const [format, dtype] of [
      ['gguf', 'float32'],
      ['merged', 'float32'],
      ['onnx', 'float32'],
    ] as const) {
      const { check } = await exportIt(format, dtype, { paths: [base], model: base });
      expect(check.difference).toBeLessThan(1e-5);
    }
  });

  it('refuses what llama.cpp would compute otherwise by its name', async () => {
    const base = join(folder, 'windows');
    const window = { use_sliding_window: true, sliding_window: 8, max_window_layers: 1 };
    writeTinyChatModel(base, { model_type: 'qwen3', ...window });
    const refused = exportIt('gguf', 'float16', { paths: [base], model: base });
    await expect(refused).rejects.toThrow(/qwen3: expected full attention in layer 1, got a window/);
  });

  it('leaves nothing when it is cancelled or the folder has files', async () => {
    const controller = new AbortController();
    const out = join(folder, 'cancelled');
    const cancelled = exportTuned(
      { paths: [adapter], model, format: 'merged', dtype: null, out },
      { ...options, signal: controller.signal, onProgress: phase => phase === 'writing' && controller.abort() },
    );
    await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(out) || existsSync(`${out}.tmp`)).toBe(false);
    await expect(exportIt('merged', null, { out: model })).rejects.toMatchObject({ code: 'not-writable' });
  });

  it('refuses a file with one tensor lost, however far rounding may move the logits, and leaves nothing', async () => {
    const out = join(folder, 'corrupt');
    const lose = (phase: string): void => {
      if (phase !== 'comparing') return;
      const name = readdirSync(`${out}.tmp`).find(each => each.endsWith('.gguf'))!;
      const path = join(`${out}.tmp`, name);
      const { tensors } = openGguf(path);
      const bytes = Buffer.from(tensors.readBytes('blk.1.attn_k.weight'));
      tensors.close();
      const file = readFileSync(path);
      file.fill(0, file.indexOf(bytes), file.indexOf(bytes) + bytes.length);
      writeFileSync(path, file);
    };
    const request = { paths: [adapter], model, format: 'gguf', dtype: 'q4_0', out } as const;
    const refused = exportTuned(request, { ...options, onProgress: lose });
    await expect(refused).rejects.toThrow(
      /layers\.1\.self_attn\.k_proj\.weight: expected the tuned weights, got others/,
    );
    expect(existsSync(out) || existsSync(`${out}.tmp`)).toBe(false);
  });

  it('adds several adapters up', async () => {
    const second = writeTinyAdapter(join(folder, 'second'), { seed: 9 });
    for (const format of ['peft', 'gguf-lora', 'merged'] as const) {
      const { check } = await exportIt(format, format === 'merged' ? 'float32' : null, { paths: [adapter, second] });
      expect(check.difference).toBeLessThan(1e-5);
    }
    expect(tinyChatModel.config.layers).toBe(2);
  });
});
