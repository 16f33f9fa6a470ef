/**
 * @file What the encoded rows say against starting a run: nothing or everything supervised, an end token that is never
 * learned (the tuned model would not stop), two BOS tokens. Each finding names its remedy and the override with which a
 * person may insist. Others are told but stop nothing: cut and dropped rows, control words in messages, lost system messages.
 */
import type { PreflightFinding } from '../../shared/datasetProtocol.ts';
import { TuneError } from '../../shared/errors.ts';
import type { EncodeReport } from './encodeExamples.ts';
import type { TextTokenizer } from './tokenizer.ts';

export interface PreflightInput {
  readonly report: EncodeReport;
  readonly tokenizer: TextTokenizer;
  readonly trainOn: 'assistant' | 'all';
}

const count = (rows: number): string => (rows === 1 ? '1 row' : `${rows} rows`);

/** What refuses the run unless it is overridden. */
export function findRefusals({ report, tokenizer, trainOn }: PreflightInput): PreflightFinding[] {
  const findings: PreflightFinding[] = [];
  if (report.supervisedTokens === 0) {
    // Without a single label there is nothing to insist on.
    findings.push({
      code: 'nothing-supervised',
      message: `Supervised tokens: expected some, got none in ${count(report.examples)}.`,
      remedy:
        report.dropped['cut-away'] > 0
          ? 'The prompts fill the whole context: raise contextTokens or shorten the prompts.'
          : 'No assistant says anything in these rows: check the mapping of the fields, or train on everything (trainOn=all).',
      override: null,
    });
    return findings;
  }
  // The first token of a row is never supervised.
  if (
    trainOn === 'assistant' &&
    report.chatRows > 0 &&
    report.chatSupervisedTokens >= report.chatTokens - report.chatRows
  ) {
    findings.push({
      code: 'everything-supervised',
      message: 'Supervised tokens: expected the answers only, got every token of every conversation.',
      remedy:
        'The rows have no prompts, or the chat template marks everything as said by the assistant: check the mapping of the fields, or choose trainOn=all.',
      override: 'mask',
    });
  }
  if (report.rowsThatLearnEnd === 0) {
    findings.push({
      code: 'end-token-untrained',
      message:
        tokenizer.eosTokenIds.length === 0
          ? 'End token: expected the model to name one, got none. The tuned model would never stop.'
          : 'End token: expected it among the supervised tokens, got it in no row. The tuned model would not learn to stop.',
      remedy:
        report.truncatedRows === report.rows
          ? 'Every row is cut before its end: raise contextTokens.'
          : "The chat template does not end the assistant's turn with the model's end token: set eos_token in the model's tokenizer_config.json to the token that ends a turn.",
      override: 'endToken',
    });
  }
  if (report.rowsWithTwoBos > 0) {
    findings.push({
      code: 'double-bos',
      message: `Start of text: expected one BOS token, got two in ${count(report.rowsWithTwoBos)}.`,
      remedy: 'Remove the BOS token from the messages, or from the chat template.',
      override: 'doubleBos',
    });
  }
  return findings;
}

/** What a person should know before the start, though it stops nothing. */
export function findWarnings({ report }: PreflightInput): PreflightFinding[] {
  const findings: PreflightFinding[] = [];
  const warn = (rows: number, code: string, message: string, remedy: string) => {
    if (rows > 0) findings.push({ code, message, remedy, override: null });
  };
  const { truncatedRows, truncatedTokens, dropped } = report;
  const lost = truncatedTokens === 1 ? '1 token is lost' : `${truncatedTokens} tokens are lost`;
  warn(
    truncatedRows,
    'rows-cut',
    `${count(truncatedRows)} longer than the context: ${lost}.`,
    `Raise contextTokens (the longest row has ${report.longestTokens} tokens), or shorten the rows.`,
  );
  warn(
    dropped['cut-away'],
    'rows-cut-away',
    `${count(dropped['cut-away'])} left out: the prompt alone fills the context.`,
    'Raise contextTokens, or shorten the prompts.',
  );
  warn(
    dropped['nothing-to-learn'],
    'rows-without-answer',
    `${count(dropped['nothing-to-learn'])} left out: no assistant says anything.`,
    'Add the answers, or check the mapping of the fields.',
  );
  warn(
    report.rowsWithControlText,
    'control-text',
    `${count(report.rowsWithControlText)} with a special token of the model written out in a message.`,
    'It is read as the token itself: rewrite it if it is meant as text.',
  );
  warn(
    report.rowsThatDropSystem,
    'system-dropped',
    `${count(report.rowsThatDropSystem)} whose system message the chat template leaves out.`,
    'Put its text at the start of the first user message, or choose a model that takes system messages.',
  );
  return findings;
}

/** @throws TuneError `preflight` with the first finding that is not overridden; the hint names its remedy and override. */
export function enforceFindings(findings: readonly PreflightFinding[], overrides: readonly string[]): void {
  const standing = findings.filter(finding => finding.override === null || !overrides.includes(finding.override));
  const [first, ...others] = standing;
  if (!first) return;
  const more = others.length > 0 ? ` (and ${others.length} more: ${others.map(other => other.code).join(', ')})` : '';
  const insist =
    first.override === null
      ? ''
      : ` To start all the same, override "${first.override}" (--override ${first.override}).`;
  throw new TuneError('preflight', first.message + more, { hint: first.remedy + insist });
}
