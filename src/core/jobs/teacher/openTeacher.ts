/** @file A request's teacher -> the model, checked to read the student's tokens. */
import { TuneError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { nameFile } from '../../models/nameFile.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { type OpenModelOptions, openModel } from '../../models/openModel.ts';
import { findDifference } from '../../text/compareTokenizers.ts';
import { createTokenizer, type TextTokenizer } from '../../text/tokenizer.ts';
import { checkWeights, readArchitecture } from '../prepare/readArchitecture.ts';

export interface OpenTeacher {
  readonly model: OpenModel;
  readonly architecture: Model;
}

/**
 * The teacher, which the caller closes; undefined for objectives without one.
 * @throws TuneError `usage` when there should be one and is none, or the other way round; `model-unsupported` when it has
 * another vocabulary than the student; those of `openModel`
 */
export async function openTeacher(
  { teacher, model, hyperparameters }: RunRequest,
  options: OpenModelOptions,
  student: TextTokenizer,
): Promise<OpenTeacher | undefined> {
  const isWanted = hyperparameters.objective === 'distill';
  if (!isWanted && teacher === undefined) return undefined;
  if (!isWanted) {
    throw new TuneError(
      'usage',
      `teacher: expected none for the objective ${hyperparameters.objective}, got ${teacher}`,
      {
        hint: 'Set objective=distill to learn from it, or leave the teacher out.',
      },
    );
  }
  if (teacher === undefined) {
    throw new TuneError('usage', 'teacher: expected a model to learn from for the objective distill, got none', {
      hint: 'Name it: --teacher M (a folder, a .gguf file or a Hub id), or the teacher in the form.',
    });
  }
  const opened = await openModel(teacher, options);
  try {
    const architecture = readArchitecture(opened);
    checkWeights(opened, architecture);
    const difference = findDifference(
      student,
      nameFile(opened.path, () => createTokenizer(opened.tokenizer)),
    );
    if (difference === undefined) return { model: opened, architecture };
    throw new TuneError(
      'model-unsupported',
      `${opened.path}: expected the vocabulary of ${model} (${difference.expected}), got ${difference.got}`,
      {
        file: opened.path,
        hint: 'A teacher must have the same tokens as the student: take a larger model of one family.',
      },
    );
  } catch (error) {
    opened.close();
    throw error;
  }
}
