/** What is known of a Python, as lines for people: what runs, what is missing, and the exact mend. */
import { formatBytes } from '../shared/formatBytes.ts';
import type { PythonReport } from '../shared/pythonReport.ts';

export function describeReport(report: PythonReport | undefined): string[] {
  if (report === undefined) {
    return ['none python: no environment for the PyTorch engine', '     Make one: tuning-fork python install'];
  }
  const { source, interpreter, version, packages, accelerators, problems, lacks = [] } = report;
  const whose = source === 'own' ? 'made by Tuning Fork' : 'your own';
  const isReady = problems.length === 0;
  const found = Object.entries(packages).flatMap(([name, of]) => (of === null ? [] : [`${name} ${of}`]));
  const cards = accelerators.map(({ kind, name, memoryBytes }) => {
    const memory = memoryBytes === null ? '' : `, ${formatBytes(memoryBytes)}`;
    return `     accelerator ${kind}: ${name}${memory}`;
  });
  return [
    `${isReady ? 'ok  ' : 'FAIL'} python: ${version === null ? interpreter : `Python ${version} at ${interpreter}`} (${whose})`,
    ...(found.length === 0 ? [] : [`     ${found.join(', ')}`]),
    ...(cards.length === 0 && version !== null ? ['     no accelerator: it trains on the CPU'] : cards),
    ...[...problems, ...lacks].flatMap(({ message, fix }) => [`     ${message}`, `       ${fix}`]),
  ];
}
