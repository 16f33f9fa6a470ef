/** @file A tuned model -> one GGUF file with tokenizer and chat template, for llama.cpp and what is built on it. */
import { join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import { exportTypeBytes } from '../../../shared/exportFormats.ts';
import { tellingTexts } from '../../models/gguf/findPreTokenizerName.ts';
import { openGgufModel } from '../../models/gguf/openGgufModel.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { openModelText } from '../prepare/openModelText.ts';
import { compareLogits, probe } from './compareExport.ts';
import { compareWeights } from './compareWeights.ts';
import type { ExportPlanner } from './exportPlan.ts';
import { ggufModelPieces } from './ggufModelPieces.ts';
import { slugOf } from './openTuned.ts';

const shortNames = { float32: 'f32', float16: 'f16', bfloat16: 'bf16', q8_0: 'q8_0', q4_0: 'q4_0' } as const;

export const planGguf: ExportPlanner = (tuned, { dtype, signal }) => {
  const name = `${slugOf(tuned.name)}-${shortNames[dtype]}.gguf`;
  return {
    file: name,
    files: [{ name, pieces: ggufModelPieces(tuned, dtype) }],
    totalBytes: Math.ceil(1.1 * tuned.weightCount * exportTypeBytes[dtype]),
    async check(staged, expected) {
      const path = join(staged, name);
      const where = { tool: "Tuning Fork's reader of GGUF files", type: dtype, path };
      const written = openGgufModel(tuned.name, path, 0);
      try {
        checkTokens(tuned.base, written, path);
        const compared = compareWeights(tuned.model, tuned.weights, written.weights, where);
        if (expected === undefined) return compared;
        const { logits } = await probe(written, null, expected.tokenIds, signal);
        return compareLogits(expected, logits, where);
      } finally {
        written.close();
      }
    },
  };
};

/** Texts become the same tokens. @throws TuneError `model-unsupported` */
function checkTokens(base: OpenModel, written: OpenModel, path: string): void {
  const [expected, actual] = [base, written].map(model => openModelText(model).tokenizer);
  for (const text of tellingTexts) {
    const [a, b] = [expected!.encode(text), actual!.encode(text)];
    if (a.join() === b.join()) continue;
    const at = a.findIndex((id, i) => id !== b[i]);
    throw new TuneError(
      'model-unsupported',
      `${path}: expected ${JSON.stringify(expected!.tokenText(a[at]!))} as token ${at} of ${JSON.stringify(text.slice(0, 40))}, got ${JSON.stringify(actual!.tokenText(b[at]!))}`,
      { hint: 'A GGUF file has no form for this tokenizer. Export a merged Hugging Face folder instead.' },
    );
  }
}
