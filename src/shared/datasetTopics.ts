/** @file What a dataset is about, as it crosses process borders: topics found in it and those that were asked for. */
import { z } from 'zod';

const placeSchema = z.object({ file: z.string(), line: z.number().int(), text: z.string() });

export const topicReportSchema = z.object({
  rows: z.number().int(),
  /** Rows that were looked at: all of them, or a sample of the whole dataset. */
  sampledRows: z.number().int(),
  model: z.string(),
  topics: z.array(
    z.object({
      /** Typical of it beside the other topics, the most typical first. */
      words: z.array(z.string()),
      /** Of the sampled ones. */
      rows: z.number().int(),
      share: z.number(),
      /** Has less than a quarter of what each would have if all were equal. */
      isThin: z.boolean(),
      /** Its most central rows. */
      examples: z.array(placeSchema),
    }),
  ),
  /** Why so many topics: of the numbers tried, the one whose mean silhouette is highest. */
  silhouettes: z.array(z.object({ topics: z.number().int(), value: z.number() })),
  required: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['covered', 'thin', 'missing']),
      /** Rows of the whole dataset that hold its words. */
      mentions: z.number().int(),
      /** Sampled rows without its words that are as near to it as rows with them are. */
      nearRows: z.number().int(),
      /** Index of the topic that is nearest to it. */
      nearestTopic: z.number().int().nullable(),
    }),
  ),
});
export type TopicReport = z.infer<typeof topicReportSchema>;
