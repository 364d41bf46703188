/** Answers that a test scripts for the next calls of a simulated service, instead of the service's own. */
export interface ScriptOptions<Place extends string> {
  /** The number of calls; default: all until `behave()`. */
  times?: number;
  /** Methods or endpoints; default: all. */
  at?: readonly Place[];
}

export class ScriptedAnswers<Answer, Place extends string> {
  private waiting: { answer: Answer; left: number; at: readonly Place[] | undefined }[] = [];

  add(answer: Answer, { times = Number.POSITIVE_INFINITY, at }: ScriptOptions<Place> = {}): void {
    this.waiting.push({ answer, left: times, at });
  }

  /** The oldest that applies. */
  next(place?: Place): Answer | undefined {
    const found = this.waiting.find(
      ({ left, at }) => left > 0 && (!at || at.some((each) => each === place)),
    );
    if (found) found.left -= 1;
    return found?.answer;
  }

  clear(): void {
    this.waiting = [];
  }
}
