/** @file What an editor shows of a pipeline file: problems, stages and help, each with its place in the text. */

/** 1-based; the end is behind the last character. */
export interface TextRange {
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

export interface PipelineProblem {
  severity: 'error' | 'warning';
  range: TextRange;
  message: string;
  hint: string;
}

export interface StageOutline {
  name: string;
  /** Model, datasets and how it starts, in a few words. */
  detail: string;
  range: TextRange;
  nameRange: TextRange;
}

export interface PipelineCheck {
  problems: PipelineProblem[];
  stages: StageOutline[];
}

export interface PipelineCompletion {
  label: string;
  detail: string;
  documentation: string;
  /** With what belongs behind the name. */
  insertText: string;
  kind: 'property' | 'value';
}

export interface PipelineHelp {
  completions: PipelineCompletion[];
  hover: { text: string; range: TextRange } | null;
}
