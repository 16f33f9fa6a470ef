/**
 * @file How open windows and trainers know of each other. While the setting `onWindowClose` asks that runs pause, each window
 * keeps a small file in the user's own folder alive and says in it which stores it shows; as it closes it says so. A trainer
 * that finds such files for its store, but for a while none of an open window, pauses its run. A window that crashed goes
 * stale, and one that reloads is back in time.
 */
import { z } from 'zod';

export const windowLeaseSchema = z.strictObject({
  /** Folders that hold `runs/`, links resolved. */
  stores: z.array(z.string()),
  closed: z.boolean(),
});
export type WindowLease = z.infer<typeof windowLeaseSchema>;

/** Name of the folder of leases in the user's own folder. */
export const windowLeaseFolderName = 'windows';
/** A window writes its lease anew this often. */
export const leaseBeatMs = 5_000;
/** A lease that was not written for so long is a window's that is gone. */
export const leaseStaleMs = 20_000;
