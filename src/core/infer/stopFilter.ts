/** @file Text as it comes, and texts that end it -> what may be shown: nothing of a stop text, not even its beginning. */

export class StopFilter {
  private readonly stops: readonly string[];
  private held = '';
  private isOver = false;

  /** @param stops none of them empty */
  constructor(stops: readonly string[]) {
    this.stops = stops;
  }

  get hasStopped(): boolean {
    return this.isOver;
  }

  /** The text that is certain now. */
  push(text: string): string {
    if (this.isOver) return '';
    this.held += text;
    const found = this.stops.map(stop => this.held.indexOf(stop)).filter(at => at >= 0);
    if (found.length > 0) {
      this.isOver = true;
      return this.held.slice(0, Math.min(...found));
    }
    const kept = Math.max(0, ...this.stops.map(stop => countBegun(this.held, stop)));
    const shown = this.held.slice(0, this.held.length - kept);
    this.held = this.held.slice(shown.length);
    return shown;
  }

  /** What was held back for a stop text that did not come. */
  end(): string {
    return this.isOver ? '' : this.held;
  }
}

/** Characters at the end of the text with which the stop text may begin. */
function countBegun(text: string, stop: string): number {
  for (let count = Math.min(text.length, stop.length - 1); count > 0; count--) {
    if (text.endsWith(stop.slice(0, count))) return count;
  }
  return 0;
}
