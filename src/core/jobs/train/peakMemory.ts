/** @file The most memory this process ever had resident. */
import { readFileSync } from 'node:fs';

/** Bytes: VmHWM on Linux, the system's own high-water mark elsewhere. */
export function readPeakRssBytes(): number {
  if (process.platform === 'linux') {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}
