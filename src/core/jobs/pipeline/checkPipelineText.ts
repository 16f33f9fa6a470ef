/** @file The text of a pipeline file in an editor -> its problems and outline, files that are not there included. */
import { existsSync } from 'node:fs';
import type { PipelineCheck, PipelineProblem } from '../../../shared/pipelineOutline.ts';
import { type ParsedPipeline, parsePipeline } from './parsePipeline.ts';

export function checkPipelineText(text: string, file: string): PipelineCheck & Pick<ParsedPipeline, 'request'> {
  const { request, problems, outline, stages } = parsePipeline(text, file);
  const missing = stages.flatMap(({ stage, datasetRanges }) =>
    stage.datasets.flatMap(({ path }, i): PipelineProblem[] => {
      // Patterns name files that may come; `?` stands for a dataset whose name is missing already.
      if (/[*?[{]/.test(path) || existsSync(path)) return [];
      const hint = 'Paths are seen from the folder of this file.';
      const message = `dataset: expected a file, got ${path}, which is not there`;
      return [{ severity: 'error', range: datasetRanges[i]!, message, hint }];
    }),
  );
  return { request, problems: [...problems, ...missing], stages: [...outline] };
}
