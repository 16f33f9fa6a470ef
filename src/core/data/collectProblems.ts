/** @file Problems of rows -> the first few kept, all counted. */
import type { ProblemSummary, RowProblem, RowProblemCode } from './datasetReport.ts';

/** Keeps at most `limit` problems, errors before warnings, and counts every one by code. */
export class ProblemCollector {
  private readonly errors: RowProblem[] = [];
  private readonly warnings: RowProblem[] = [];
  private readonly counts = new Map<RowProblemCode, number>();
  private errorCount = 0;
  private warningCount = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(problem: RowProblem): void {
    const isError = problem.severity === 'error';
    if (isError) this.errorCount++;
    else this.warningCount++;
    this.counts.set(problem.code, (this.counts.get(problem.code) ?? 0) + 1);
    const kept = isError ? this.errors : this.warnings;
    if (kept.length < this.limit) kept.push(problem);
  }

  summarize(): ProblemSummary {
    const warnings = this.warnings.slice(0, Math.max(0, this.limit - this.errors.length));
    return {
      problems: [...this.errors, ...warnings].sort((a, b) => a.line - b.line),
      errorCount: this.errorCount,
      warningCount: this.warningCount,
      countsByCode: Object.fromEntries(this.counts),
    };
  }
}
