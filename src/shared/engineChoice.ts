/** @file Which engine runs a recipe, and why, in words. */
import { type Accelerator, isPythonReady, type PythonReport } from './pythonReport.ts';

export const engines = ['embedded', 'pytorch'] as const;
export type Engine = (typeof engines)[number];

export const engineLabels: Readonly<Record<Engine, string>> = {
  embedded: 'the embedded engine',
  pytorch: 'the PyTorch engine',
};

/** From so many weights on, a graphics card pays for the seconds that PyTorch takes to start. */
export const bigModelParameters = 300e6;

export interface EngineChoice {
  readonly engine: Engine;
  /** A sentence. */
  readonly reason: string;
}

export interface EngineCircumstances {
  /** Undefined while the model is not known. */
  readonly parameters: number | undefined;
  readonly python: PythonReport | undefined;
  /** What PyTorch cannot do of the recipe, a sentence; undefined when it can do all. */
  readonly pytorchLacks?: string | undefined;
  readonly embeddedLacks?: string | undefined;
  /** Why the recipe does not fit where PyTorch computes, a sentence; undefined when it does. */
  readonly pytorchMisfit?: string | undefined;
}

/** `asked` as it is, or for `auto`: PyTorch where it is ready, finds a graphics card, can do the recipe, the model is big and fits it; or where it alone can do it. */
export function chooseEngine(
  asked: 'auto' | Engine,
  { parameters, python, pytorchLacks, embeddedLacks, pytorchMisfit }: EngineCircumstances,
): EngineChoice {
  if (asked !== 'auto') return { engine: asked, reason: 'It was chosen.' };
  if (embeddedLacks !== undefined && pytorchLacks === undefined) return { engine: 'pytorch', reason: embeddedLacks };
  const card = python?.accelerators[0];
  if (python === undefined || card === undefined)
    return { engine: 'embedded', reason: 'There is no graphics card that PyTorch can use.' };
  if (!isPythonReady(python)) {
    return {
      engine: 'embedded',
      reason: `PyTorch is not ready for ${nameCard(card)}: ${python.problems[0]?.message}.`,
    };
  }
  if (pytorchLacks !== undefined) return { engine: 'embedded', reason: pytorchLacks };
  if (parameters === undefined) return { engine: 'embedded', reason: 'The model is not known yet.' };
  const size = `${formatCount(parameters)} weights`;
  if (parameters < bigModelParameters) {
    const least = formatCount(bigModelParameters);
    return { engine: 'embedded', reason: `The model is small (${size}); from ${least} on PyTorch takes over.` };
  }
  if (pytorchMisfit !== undefined) return { engine: 'embedded', reason: pytorchMisfit };
  return { engine: 'pytorch', reason: `The model is big (${size}) and PyTorch can use ${nameCard(card)}.` };
}

function nameCard({ name, kind }: Accelerator): string {
  return `${name} (${kind === 'cuda' ? 'CUDA' : kind === 'rocm' ? 'ROCm' : 'MPS'})`;
}

function formatCount(count: number): string {
  return count >= 1e9 ? `${(count / 1e9).toFixed(1)} billion` : `${Math.round(count / 1e6)} million`;
}
