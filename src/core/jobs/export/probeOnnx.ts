/** @file A folder that transformers.js can open -> the logits that it computes there for a row of tokens. */
import { loadTransformers, type Transformers } from '../../runtime/transformersLibrary.ts';

/** Logits [S, V] of the tokens, whose second half runs over the cache of the first. */
export async function probeOnnx(
  folder: string,
  dtype: 'fp32' | 'fp16',
  tokenIds: readonly number[],
): Promise<Float32Array> {
  const library = await loadTransformers();
  const { allowLocalModels } = library.env;
  library.env.allowLocalModels = true;
  try {
    const model = await library.AutoModelForCausalLM.from_pretrained(folder, {
      dtype,
      // The runtime that is put under the library has no list of devices: providers are named instead.
      device: 'auto',
      session_options: { executionProviders: ['cpu'] },
      local_files_only: true,
    });
    try {
      const half = Math.ceil(tokenIds.length / 2);
      const toTensor = (values: readonly number[]) =>
        new library.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
      const mask = (count: number) => toTensor(new Array<number>(count).fill(1));
      const first = await model({ input_ids: toTensor(tokenIds.slice(0, half)), attention_mask: mask(half) });
      const second = await model({
        input_ids: toTensor(tokenIds.slice(half)),
        attention_mask: mask(tokenIds.length),
        past_key_values: new library.DynamicCache(renamePresent(first)),
      });
      const parts = [first, second].map(({ logits }) => logits.data as Float32Array);
      const all = new Float32Array(parts[0]!.length + parts[1]!.length);
      all.set(parts[0]!);
      all.set(parts[1]!, parts[0]!.length);
      return all;
    } finally {
      await model.dispose();
    }
  } finally {
    library.env.allowLocalModels = allowLocalModels;
  }
}

/** What a run added to the cache, as the next one takes it. */
function renamePresent(outputs: Readonly<Record<string, Transformers.Tensor>>): Record<string, Transformers.Tensor> {
  return Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name.startsWith('present'))
      .map(([name, tensor]) => [name.replace('present', 'past_key_values'), tensor]),
  );
}
