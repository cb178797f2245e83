/** Another login of a user, on another platform, that wants the user's one brokerage session. */
export interface Competitor {
  /** False where it takes the session back from everybody who asks for it, so that `compete: true` loses too. */
  readonly yields: boolean;
  /** True where it stands beside ours: `authenticated` and `competing` together, and no data. */
  readonly beside: boolean;
}

/** Who else is logged in as which user. */
export class Competition {
  readonly #competitors = new Map<string, Competitor>();

  of(userName: string): Competitor | undefined {
    return this.#competitors.get(userName);
  }

  enter(userName: string, competitor: Competitor): void {
    this.#competitors.set(userName, competitor);
  }

  /** Answers whether somebody was there. */
  leave(userName: string): boolean {
    return this.#competitors.delete(userName);
  }
}
