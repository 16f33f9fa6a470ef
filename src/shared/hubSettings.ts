/** @file Where models are downloaded from and kept. The token travels in this message alone: never in argv, files or logs. */
import { z } from 'zod';

export const hubSettingsSchema = z.strictObject({
  /** Mirror to use instead of the Hub's own address; null: HF_ENDPOINT or the default. */
  endpoint: z.string().nullable(),
  /** Folder of the Hub cache; null: HF_HUB_CACHE, HF_HOME or the default. */
  cache: z.string().nullable(),
  token: z.string().nullable(),
});
export type HubSettings = z.infer<typeof hubSettingsSchema>;
