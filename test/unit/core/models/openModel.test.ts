import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openModel } from '../../../../src/core/models/openModel.ts';
import { TuneError } from '../../../../src/shared/errors.ts';
import { GgufBytes } from '../formats/ggufBytes.ts';
import { makeTemporaryFolder } from '../formats/temporaryFolder.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/models');
const folder = join(fixtures, 'folder');
const options = { tinyFolder: folder };
const temporary = makeTemporaryFolder();
const copy = join(temporary, 'copy');

async function catchOpenError(reference: string): Promise<TuneError> {
  const error: unknown = await openModel(reference, options).then(
    () => new Error('opened'),
    reason => reason,
  );
  if (error instanceof TuneError) return error;
  throw error;
}

describe('openModel on a folder', () => {
  it('gives config, weights, tokenizer and files', async () => {
    const model = await openModel(folder, options);
    expect(model).toMatchObject({ id: folder, path: folder, format: 'safetensors', modelType: 'llama' });
    expect(model.config).toMatchObject({ hidden_size: 16, num_key_value_heads: 2, vocab_size: 400 });
    expect(model.generationConfig).toMatchObject({ eos_token_id: [2, 3] });
    expect(model.weights.info('model.layers.1.mlp.down_proj.weight').shape).toEqual([16, 24]);
    expect(model.tokenizer.tokenizerConfig).toMatchObject({
      bos_token: '<|im_start|>',
      eos_token: '<|im_end|>',
      extra_eos_token_ids: [3],
      chat_template: readFileSync(join(folder, 'chat_template.jinja'), 'utf8'),
    });
    const weights = readFileSync(join(folder, 'model.safetensors'));
    expect(model.weightFiles).toEqual([{ path: join(folder, 'model.safetensors'), bytes: weights.length }]);
    expect(model.computeSha256()).toBe(createHash('sha256').update(weights).digest('hex'));
    model.close();
  });

  it('finds the model that ships with the extension under the name tiny', async () => {
    const model = await openModel('tiny', options);
    expect(model).toMatchObject({ id: 'tiny', path: folder });
    model.close();
  });

  it('needs intact weights only when they are read', async () => {
    cpSync(folder, copy, { recursive: true });
    writeFileSync(join(copy, 'model.safetensors'), readFileSync(join(folder, 'model.safetensors')).subarray(0, 5000));
    const model = await openModel(copy, options);
    expect(model.tokenizer.tokenizerConfig.eos_token).toBe('<|im_end|>');
    expect(() => model.weights.names).toThrow(/model.safetensors: expected a file of \d+ bytes.*got 5000 bytes/);
    model.close();
  });
});

describe('openModel on a broken folder', () => {
  beforeEach(() => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(folder, copy, { recursive: true });
  });

  it('takes the template of tokenizer_config.json, alone or as the default of several, when there is no file for it', async () => {
    rmSync(join(copy, 'chat_template.jinja'));
    const path = join(copy, 'tokenizer_config.json');
    const write = (chat_template: unknown) =>
      writeFileSync(path, JSON.stringify({ eos_token: { content: '<|im_end|>' }, chat_template }));
    const read = async () => {
      const model = await openModel(copy, options);
      const { tokenizerConfig } = model.tokenizer;
      model.close();
      return tokenizerConfig;
    };
    write('plain');
    expect(await read()).toMatchObject({ chat_template: 'plain', eos_token: '<|im_end|>' });
    write([
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'usual' },
    ]);
    expect((await read()).chat_template).toBe('usual');
    write(undefined);
    expect((await read()).chat_template).toBeUndefined();
  });

  it('finds the end token by its id when no file names it', async () => {
    writeFileSync(join(copy, 'tokenizer_config.json'), '{}');
    const model = await openModel(copy, options);
    expect(model.tokenizer.tokenizerConfig).toMatchObject({ eos_token: '<|im_end|>', extra_eos_token_ids: [3] });
    model.close();
  });

  it.each<[string, () => void, string, RegExp, RegExp]>([
    [
      'no config',
      () => rmSync(join(copy, 'config.json')),
      'model-not-found',
      /with config.json, got none/,
      /tokenizer.json/,
    ],
    [
      'an adapter',
      () => renameSync(join(copy, 'config.json'), join(copy, 'adapter_config.json')),
      'model-not-found',
      /config.json/,
      /holds an adapter: name the base model/,
    ],
    [
      'a broken config',
      () => writeFileSync(join(copy, 'config.json'), '{'),
      'model-invalid',
      /config.json: expected JSON/,
      /again/,
    ],
    [
      'a config without a type',
      () => writeFileSync(join(copy, 'config.json'), '{}'),
      'model-invalid',
      /model_type, got nothing/,
      /config/,
    ],
    [
      'quantized weights',
      () =>
        writeFileSync(
          join(copy, 'config.json'),
          '{"model_type":"llama","quantization_config":{"quant_method":"gptq"}}',
        ),
      'model-unsupported',
      /F32, F16 or BF16, got quantization "gptq"/,
      /unquantized/,
    ],
    [
      'pickle weights',
      () => renameSync(join(copy, 'model.safetensors'), join(copy, 'pytorch_model.bin')),
      'model-unsupported',
      /got pytorch_model.bin, which is a pickle/,
      /never loaded.*save_pretrained/,
    ],
    ['no weights', () => rmSync(join(copy, 'model.safetensors')), 'model-not-found', /got no weights/, /again/],
    [
      'a missing shard',
      () => writeFileSync(join(copy, 'model.safetensors.index.json'), '{"weight_map":{"a":"model-2.safetensors"}}'),
      'model-invalid',
      /expected model-2.safetensors, as its index says/,
      /missing file/,
    ],
  ])('refuses %s', async (_what, breakFolder, code, message, hint) => {
    breakFolder();
    const error = await catchOpenError(copy);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(copy);
    expect(error.hint).toMatch(hint);
  });

  it('says how to make a missing tokenizer.json, when the tokenizer is asked for', async () => {
    rmSync(join(copy, 'tokenizer.json'));
    const model = await openModel(copy, options);
    expect(() => model.tokenizer).toThrow(/expected tokenizer.json, got none/);
    model.close();
  });
});

describe('openModel on a GGUF file', () => {
  it('gives the weights of the folder that it was made from, under the same names', async () => {
    const original = await openModel(folder, options);
    const model = await openModel(join(fixtures, 'llama.gguf'), options);
    expect(model).toMatchObject({ format: 'gguf', modelType: 'llama', path: join(fixtures, 'llama.gguf') });
    expect([...model.weights.names].sort()).toEqual([...original.weights.names].sort());
    for (const name of original.weights.names) {
      expect(model.weights.info(name)).toEqual(original.weights.info(name));
      const expected = original.weights.readFloat32(name);
      expect(model.weights.readFloat32(name)).toEqual(expected);
      expect(model.weights.readBytes(name)).toEqual(original.weights.readBytes(name));
      const rows = original.weights.info(name).shape[0]!;
      const middle = original.weights.readFloat32Rows(name, 1, rows - 2);
      expect(model.weights.readFloat32Rows(name, 1, rows - 2)).toEqual(middle);
    }
    original.close();
    model.close();
  });

  it('says in config.json’s words what the folder’s config.json says', async () => {
    const original = await openModel(folder, options);
    const model = await openModel(join(fixtures, 'llama.gguf'), options);
    for (const key of [
      'architectures',
      'model_type',
      'hidden_size',
      'intermediate_size',
      'num_hidden_layers',
      'num_attention_heads',
      'num_key_value_heads',
      'head_dim',
      'hidden_act',
      'max_position_embeddings',
      'rms_norm_eps',
      'vocab_size',
      'tie_word_embeddings',
      'attention_bias',
      'mlp_bias',
      'bos_token_id',
      'eos_token_id',
      'pad_token_id',
    ]) {
      expect({ [key]: model.config[key] }).toEqual({ [key]: original.config[key] });
    }
    expect(model.config).toMatchObject({ rope_theta: 500_000, rope_scaling: null });
    expect(model.generationConfig).toEqual({ bos_token_id: 1, eos_token_id: [2, 3], pad_token_id: 0 });
    original.close();
    model.close();
  });

  const write = (bytes: GgufBytes) => {
    const path = join(temporary, 'small.gguf');
    writeFileSync(path, bytes.finish());
    return path;
  };
  const start = (tensors: number, more = 0) =>
    new GgufBytes(3)
      .counts(tensors, 7 + more)
      .key('general.architecture', 8)
      .string('llama')
      .key('llama.embedding_length', 4)
      .uint32(8)
      .key('llama.attention.head_count', 4)
      .uint32(2)
      .key('llama.block_count', 4)
      .uint32(1)
      .key('llama.context_length', 4)
      .uint32(16)
      .key('llama.vocab_size', 4)
      .uint32(3)
      .key('llama.feed_forward_length', 4)
      .uint32(4);

  it('reads a type that it cannot decode nowhere, and names tensor and remedy before anything starts', async () => {
    const error = await catchOpenError(write(start(1).tensor('blk.0.ffn_up.weight', [256], 10, 0).pad(32).pad(512)));
    expect(error.code).toBe('model-unsupported');
    expect(error.message).toMatch(/got type Q2_K in blk.0.ffn_up.weight/);
    expect(error.hint).toContain('Q4_K_M');
  });

  it('refuses query rows that do not divide into heads', async () => {
    const path = write(start(1).tensor('blk.0.attn_q.weight', [8, 6], 0, 0).pad(32).pad(1024));
    expect((await catchOpenError(path)).message).toMatch(
      /blk.0.attn_q.weight that divide into 2 heads of even size, got 6/,
    );
  });

  it('refuses an adapter and one part of a split file', async () => {
    const adapter = await catchOpenError(write(start(0, 1).key('general.type', 8).string('adapter')));
    expect(adapter).toMatchObject({ code: 'model-unsupported', hint: 'Name the GGUF file of the base model.' });
    const part = await catchOpenError(write(start(0, 1).key('split.count', 4).uint32(3)));
    expect(part.message).toMatch(/got one of 3 parts/);
    expect(part.hint).toContain('llama-gguf-split --merge');
  });

  it('names a missing key', async () => {
    const bytes = new GgufBytes(3).counts(0, 1).key('general.architecture', 8).string('llama');
    expect((await catchOpenError(write(bytes))).message).toMatch(/a count in llama.embedding_length, got nothing/);
  });

  it('reads the config of an architecture that it does not know', async () => {
    const path = write(
      new GgufBytes(3)
        .counts(0, 6)
        .key('general.architecture', 8)
        .string('nobody')
        .key('nobody.embedding_length', 4)
        .uint32(8)
        .key('nobody.attention.head_count', 4)
        .uint32(2)
        .key('nobody.block_count', 4)
        .uint32(1)
        .key('nobody.context_length', 4)
        .uint32(16)
        .key('nobody.vocab_size', 4)
        .uint32(3),
    );
    const model = await openModel(path, options);
    expect(model.config).toMatchObject({ model_type: 'nobody', hidden_size: 8 });
    model.close();
  });
});

describe('openModel on anything else', () => {
  it.each([
    ['./nowhere', 'model-not-found'],
    ['nowhere.gguf', 'model-not-found'],
    [join(temporary, 'none'), 'model-not-found'],
    [join(folder, 'model.safetensors'), 'model-unsupported'],
    [join(folder, 'config.json'), 'model-unsupported'],
  ])('refuses %s as %s', async (reference, code) => {
    const error = await catchOpenError(reference);
    expect(error.code).toBe(code);
    expect(error.hint).toBeTruthy();
  });

  it('never takes a folder’s place for a Hub id', async () => {
    mkdirSync(join(temporary, 'empty'), { recursive: true });
    expect((await catchOpenError(join(temporary, 'empty'))).message).toMatch(
      /expected a model folder with config.json/,
    );
  });
});
