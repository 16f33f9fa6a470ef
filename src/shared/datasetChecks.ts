/** @file What checking a dataset found, as it crosses process borders. */
import { z } from 'zod';
import { cleaningStepNames } from './cleaning.ts';

export const checkNames = [
  'duplicate',
  'nearDuplicate',
  'conflictingAnswers',
  'answerEqualsQuestion',
  'roleOrder',
  'html',
  'mojibake',
  'lostCharacters',
  'personalData',
  'language',
  'overContext',
  'leak',
] as const;
export type CheckName = (typeof checkNames)[number];

export const checkFindingSchema = z.object({
  check: z.enum(checkNames),
  file: z.string(),
  line: z.number().int(),
  message: z.string(),
  /** Line in the same file of the row that this one repeats or contradicts. */
  relatedLine: z.number().int().nullable(),
});
export type CheckFinding = z.infer<typeof checkFindingSchema>;

export const checkReportSchema = z.object({
  rows: z.number().int(),
  /** Checks that found something. */
  checks: z.array(
    z.object({
      check: z.enum(checkNames),
      count: z.number().int(),
      /** The cleaning step that mends it. */
      step: z.enum(cleaningStepNames),
      /** The first of them. */
      findings: z.array(checkFindingSchema),
    }),
  ),
  /** Rows by language, where one is clear. */
  languages: z.record(z.string(), z.number()),
  mainLanguage: z.string().nullable(),
});
export type CheckReport = z.infer<typeof checkReportSchema>;
