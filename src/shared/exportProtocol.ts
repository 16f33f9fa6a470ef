/** @file What the editor asks of the process that exports, and what that process says on its way. */
import type { ExportFormat, ExportResult, ExportType } from './exportFormats.ts';
import type { HubSettings } from './hubSettings.ts';

export interface ExportSource {
  /** Its folder. */
  run: string;
  hub: HubSettings;
}

export interface ExportSizes {
  weightCount: number;
  /** Null for a full run. */
  adapterBytes: number | null;
}

export type ExportCalls = {
  'export/measure': { parameters: ExportSource; result: ExportSizes };
  /** `out` is absolute, and new or empty. */
  'export/run': {
    parameters: ExportSource & { format: ExportFormat; dtype: ExportType | null; out: string };
    result: ExportResult;
  };
};

export type ExportEvents = { 'export/progress': { phase: string; done: number; total: number } };
