/** @file What is known of the Python -> what the form says of it. */
import type { PythonSummary } from '../../shared/pages.ts';
import type { MachineWish } from '../../shared/pythonProtocol.ts';
import { isPythonReady, type PythonReport } from '../../shared/pythonReport.ts';

export function summarizePython(report: PythonReport | null, { hasCard, reason }: MachineWish): PythonSummary {
  if (report !== null && isPythonReady(report)) return { state: 'ready', text: describePython(report), offer: '' };
  const offer = hasCard ? `${reason} PyTorch can train big models on it.` : '';
  if (report === null) {
    const text = 'It takes a Python environment of its own, which is made after asking.';
    return { state: 'missing', text, offer };
  }
  const text = report.problems.map(({ message, fix }) => `${message}. ${fix}`).join(' ');
  return { state: 'broken', text, offer };
}

/** `Python 3.12.7, torch 2.13.0, NVIDIA H100` */
export function describePython({ version, packages, accelerators }: PythonReport): string {
  const cards = accelerators.map(({ name }) => name).join(', ') || 'CPU';
  return `Python ${version}, torch ${packages.torch}, ${cards}`;
}
