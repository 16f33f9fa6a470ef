/** @file Calls that must not overlap: each begins when the one before it has ended, however it ended. */

export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined); // whoever took the turn sees the error
    return turn;
  }
}
