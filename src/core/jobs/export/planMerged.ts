/** @file A tuned model -> a Hugging Face folder that has the adapter in its weights. */
import { type ExportType, exportTypeBytes } from '../../../shared/exportFormats.ts';
import type { FloatDtype } from '../../formats/encodeFloats.ts';
import { openFolderModel } from '../../models/openFolderModel.ts';
import { wholeModelFiles } from '../merge/mergeAdapter.ts';
import { compareLogits, probe } from './compareExport.ts';
import { compareWeights } from './compareWeights.ts';
import type { ExportPlanner } from './exportPlan.ts';

/** As safetensors and GGUF name them. */
export const floatDtypes: Readonly<Partial<Record<ExportType, FloatDtype>>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
};

export const planMerged: ExportPlanner = (tuned, { dtype, signal }) => ({
  files: wholeModelFiles(tuned.base, tuned.model, tuned.weights, tuned.chatTemplate, floatDtypes[dtype]!),
  totalBytes: Math.ceil(tuned.weightCount * exportTypeBytes[dtype]),
  async check(staged, expected) {
    const where = { tool: "Tuning Fork's reader of Hugging Face folders", type: dtype, path: staged };
    const written = openFolderModel(tuned.name, staged);
    try {
      const compared = compareWeights(tuned.model, tuned.weights, written.weights, where);
      if (expected === undefined) return compared;
      const { logits } = await probe(written, null, expected.tokenIds, signal);
      return compareLogits(expected, logits, where);
    } finally {
      written.close();
    }
  },
});
