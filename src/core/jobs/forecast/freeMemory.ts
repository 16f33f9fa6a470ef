/** @file What a run may still use: what the system has free, within what a container allows this process. */
import { freemem } from 'node:os';

export interface MemoryState {
  readonly systemFreeBytes: number;
  /** Of a container or the like; 0 or more than any machine has when there is none. */
  readonly allowedBytes: number;
  /** What this process holds already. */
  readonly usedBytes: number;
}

export function countFreeBytes({ systemFreeBytes, allowedBytes, usedBytes }: MemoryState = readMemory()): number {
  return allowedBytes > 0 ? Math.min(systemFreeBytes, Math.max(0, allowedBytes - usedBytes)) : systemFreeBytes;
}

function readMemory(): MemoryState {
  return {
    systemFreeBytes: freemem(),
    allowedBytes: process.constrainedMemory() ?? 0,
    usedBytes: process.memoryUsage.rss(),
  };
}
