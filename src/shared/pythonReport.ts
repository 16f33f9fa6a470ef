/** @file What is known of one Python interpreter: its packages, the accelerators that PyTorch finds, and what is missing. */
import { z } from 'zod';

/** Names the user's own interpreter to every program of ours. */
export const pythonVariable = 'TUNING_FORK_PYTHON';

/** What PyTorch computes on beside the CPU. */
export const acceleratorKinds = ['cuda', 'rocm', 'mps'] as const;

export const acceleratorSchema = z.strictObject({
  kind: z.enum(acceleratorKinds),
  name: z.string(),
  /** Null where PyTorch does not tell. */
  memoryBytes: z.number().nullable(),
});
export type Accelerator = z.infer<typeof acceleratorSchema>;

export const pythonReportSchema = z.strictObject({
  /** `own`: the environment that Tuning Fork made; `user`: the interpreter of the setting, which is only looked at. */
  source: z.enum(['own', 'user']),
  /** Absolute. */
  interpreter: z.string(),
  /** As `3.12.7`; null when it does not start. */
  version: z.string().nullable(),
  /** Version by name of the distribution; null for one that is missing. */
  packages: z.record(z.string(), z.string().nullable()),
  accelerators: z.array(acceleratorSchema),
  /** What keeps the PyTorch engine from running with it, each with its mend. */
  problems: z.array(z.strictObject({ message: z.string(), fix: z.string() })),
  /** What it does without, each with what needs it and the mend. */
  lacks: z.array(z.strictObject({ message: z.string(), fix: z.string() })).optional(),
});
export type PythonReport = z.infer<typeof pythonReportSchema>;

export function isPythonReady({ problems }: Pick<PythonReport, 'problems'>): boolean {
  return problems.length === 0;
}
