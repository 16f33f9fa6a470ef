/** @file What went wrong in a page beside what a test looks at: errors, failed requests, requests that leave the machine. */
import type { Page } from 'playwright-core';

export interface PageProblems {
  /** Uncaught errors of the page itself. */
  errors: string[];
  console: string[];
  failedRequests: string[];
  /** Must stay empty: nothing that the editor or the extension does may leave the machine. */
  externalRequests: string[];
}

const local =
  /^(https?:\/\/(127\.0\.0\.1|[\w-]+\.vscode-resource|vscode-remote)|wss?:\/\/127\.0\.0\.1|data:|blob:|about:|vscode-)/;

export function watchPage(page: Page): PageProblems {
  const problems: PageProblems = { errors: [], console: [], failedRequests: [], externalRequests: [] };
  page.on('pageerror', error => problems.errors.push(String(error.stack ?? error)));
  page.on('console', message => problems.console.push(`${message.type()} ${message.text().slice(0, 500)}`));
  page.on('requestfailed', request =>
    problems.failedRequests.push(`${request.url().slice(0, 200)} ${request.failure()?.errorText}`),
  );
  page.on('request', request => {
    if (!local.test(request.url())) problems.externalRequests.push(request.url().slice(0, 200));
  });
  return problems;
}
