/** A pipeline's file -> its request; what is wrong with it is printed with line and column. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { maxPipelineBytes, type ParsedPipeline, parsePipeline } from '../core/jobs/pipeline/parsePipeline.ts';
import { TuneError } from '../shared/errors.ts';
import type { PipelineRequest } from '../shared/pipeline.ts';
import type { Output } from './output.ts';

/** @throws TuneError `usage` */
export function readPipelineFile(given: string): { file: string; parsed: ParsedPipeline } {
  const file = resolve(given);
  try {
    const { size } = statSync(file);
    if (size > maxPipelineBytes) throw new Error(`${size} bytes`);
    return { file, parsed: parsePipeline(readFileSync(file, 'utf8'), file) };
  } catch (error) {
    if (error instanceof TuneError) throw error;
    const got = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new TuneError('usage', `${file}: expected a pipeline file, got ${got}`, { file, cause: error });
  }
}

/** Tells every problem. @throws TuneError `usage` for the first error */
export function requireValid(file: string, { request, problems }: ParsedPipeline, output: Output): PipelineRequest {
  for (const { severity, range, message, hint } of problems) {
    const where = `${file}:${range.line}:${range.column}`;
    output.line({ type: 'problem', file, line: range.line, code: `pipeline-${severity}`, message, fix: hint });
    output.say(`${where}: ${message}\n  ${hint}`);
  }
  if (request !== undefined) return request;
  const first = problems.find(({ severity }) => severity === 'error');
  const { range, message = 'expected stages, got none', hint } = first ?? {};
  const place = range === undefined ? file : `${file}:${range.line}:${range.column}`;
  throw new TuneError('usage', `${place}: ${message}`, { file, line: range?.line, hint });
}
