/** @file What the Python process answers: the environment of the PyTorch engine is looked at, made and removed there. */
import type { JobCalls } from './jobProtocol.ts';
import type { PythonReport } from './pythonReport.ts';

export interface InstallPlan {
  build: string;
  buildLabel: string;
  /** Why this build. */
  reason: string;
  folder: string;
  installer: 'uv' | 'pip';
  /** In words. */
  python: string;
  /** As `torch 2.13.0`. */
  packages: string[];
  /** Null for the package index itself. */
  torchIndex: string | null;
  /** Null for PyPI or what pip or uv are configured to. */
  packageIndex: string | null;
  /** About. */
  downloadBytes: number;
  /** About. */
  installedBytes: number;
  freeBytes: number;
  /** What an interrupted installation has left. */
  presentBytes: number;
  isReady: boolean;
}

export interface PythonChoices {
  /** Null: as the machine's cards say. */
  build: string | null;
  torchIndex: string | null;
  packageIndex: string | null;
}

export interface InstallProgress {
  phase: string;
  /** Packages. */
  done: number;
  total: number;
  detail: string;
}

export interface OwnEnvironmentFacts {
  folder: string;
  bytes: number;
  isReady: boolean;
  /** Whether it is the one that this version of the program uses. */
  isCurrent: boolean;
}

export interface PythonStatus {
  /** Null where there is neither an environment of ours nor a `pythonPath`. */
  report: PythonReport | null;
  environments: OwnEnvironmentFacts[];
}

/** What the machine's cards ask for. */
export interface MachineWish {
  hasCard: boolean;
  /** A sentence. */
  reason: string;
}

export type PythonCalls = JobCalls & {
  /** `fresh` asks PyTorch again although nothing seems to have changed. */
  'python/status': { parameters: { fresh: boolean }; result: PythonStatus };
  'python/wish': { parameters: null; result: MachineWish };
  'python/plan': { parameters: PythonChoices; result: InstallPlan };
  /** Aborting the call stops it; what was fetched is kept for the next time. */
  'python/install': { parameters: PythonChoices; result: PythonReport };
  /** The folders that were deleted. */
  'python/remove': { parameters: null; result: string[] };
};
export type PythonEvents = { 'python/progress': InstallProgress };
