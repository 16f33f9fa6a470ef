/**
 * @file `node prepareDecoding.js PLAN FOLDER`: writes what another program needs to answer the plan's prompt as decode.ts
 * does: the prompt's tokens as prompt.json and the adapter as lora.gguf.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serializeGguf } from '../../src/core/formats/writeGguf.ts';
import { encodePrompt } from '../../src/core/infer/encodePrompt.ts';
import { readModel } from '../../src/core/models/findArchitecture.ts';
import { openModel } from '../../src/core/models/openModel.ts';
import { createChatTemplate } from '../../src/core/text/chatTemplate.ts';
import { createTokenizer } from '../../src/core/text/tokenizer.ts';
import { makeBenchAdapter } from './benchAdapter.ts';
import { readPlan } from './benchPlan.ts';

/** llama.cpp's names of a llama's linear layers. Its order of the rows of q and k does not matter where B is zero. */
const ggufParts: Readonly<Record<string, string>> = {
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  o_proj: 'attn_output',
  gate_proj: 'ffn_gate',
  up_proj: 'ffn_up',
  down_proj: 'ffn_down',
};

const plan = readPlan(process.argv[2]);
const folder = process.argv[3];
if (folder === undefined) throw new Error('expected a folder as the last argument, got none');
const opened = await openModel(plan.model, { tinyFolder: '' });
const tokenizer = createTokenizer(opened.tokenizer);
const specialTokens = [...tokenizer.specialTokens.keys()];
const template = createChatTemplate({ config: opened.tokenizer.tokenizerConfig, specialTokens });
const tokenIds = encodePrompt({ tokenizer, template }, [{ role: 'user', content: plan.prompt }]);
writeFileSync(join(folder, 'prompt.json'), JSON.stringify(tokenIds));

const model = readModel({ ...opened.config, model_type: opened.modelType });
opened.close();
const tensors = makeBenchAdapter(plan, model).pairs.flatMap(({ module, rank, a, b, inputSize, outputSize }) => {
  const [, layer, part] = /^model\.layers\.(\d+)\.\w+\.(\w+)$/.exec(module) ?? [];
  const name = `blk.${layer}.${ggufParts[part ?? '']}.weight`;
  return [
    { name: `${name}.lora_a`, dtype: 'F32', shape: [rank, inputSize], readPieces: () => [toBytes(a)] },
    { name: `${name}.lora_b`, dtype: 'F32', shape: [outputSize, rank], readPieces: () => [toBytes(b)] },
  ];
});
const metadata = {
  'general.architecture': 'llama',
  'general.type': 'adapter',
  'adapter.type': 'lora',
  'adapter.lora.alpha': { float: plan.lora.alpha },
};
writeFileSync(join(folder, 'lora.gguf'), Buffer.concat([...serializeGguf(tensors, metadata)]));

function toBytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
