/** @file A recipe's choice of engine -> the engine that runs it, or what is missing for the one that was asked for. */
import { chooseEngine, type EngineChoice } from '../../../shared/engineChoice.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import { isPythonReady, type PythonReport } from '../../../shared/pythonReport.ts';

/** @throws TuneError `python-missing` when PyTorch was asked for and is not ready */
export function resolveEngine(
  { engine }: Pick<Hyperparameters, 'engine'>,
  parameters: number,
  python: PythonReport | undefined,
): EngineChoice {
  const choice = chooseEngine(engine, parameters, python);
  if (choice.engine === 'pytorch' && (python === undefined || !isPythonReady(python))) {
    const problem = python?.problems[0];
    throw new TuneError(
      'python-missing',
      `engine: expected a Python environment that can run PyTorch, got ${problem?.message ?? 'none'}`,
      {
        hint:
          problem?.fix ??
          'Set one up (tuning-fork python install; in the editor: Set Up PyTorch...), or choose engine=embedded.',
      },
    );
  }
  return choice;
}
