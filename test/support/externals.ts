/** @file What tests use that is not in the repository: the same that `npm test` finds or installs. */
import { describeMissingChromium, findChromium } from '../../src/tools/chromium.mjs';
import { describeMissingModel, findRealModel } from '../../src/tools/models.mjs';
import { describeMissingPython, findPython } from '../../src/tools/python.mjs';

/** The Python with the requirements of test/parity and test/trackers. @throws when there is none: `npm test` skips the suite before that */
export function requirePython(): string {
  return findPython() ?? refuse(describeMissingPython());
}

/** The program of Chromium or Chrome, for playwright-core's `executablePath`. */
export function requireChromium(): string {
  return findChromium() ?? refuse(describeMissingChromium());
}

/** SmolLM2-135M-Instruct as a Q4_1 GGUF file. */
export function requireRealModel(): string {
  return findRealModel() ?? refuse(describeMissingModel());
}

function refuse(reason: string): never {
  throw new Error(reason);
}
