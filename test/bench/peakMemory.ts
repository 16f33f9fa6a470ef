/** @file The peak of a part of a process's life. */
import { existsSync, writeFileSync } from 'node:fs';

const clearReferences = '/proc/self/clear_refs';

/** Makes the system's high-water mark of this process begin anew (Linux); false where that is impossible. */
export function resetPeakRss(): boolean {
  if (!existsSync(clearReferences)) return false;
  writeFileSync(clearReferences, '5');
  return true;
}
