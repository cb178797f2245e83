/** Whether a process runs: it may be stopped for a while, and killed once. What waits for it then waits with it. */
export class Life {
  readonly id: string;
  /** Error of its wall clock, in ms. */
  wallAheadMs = 0;
  #state: "runs" | "stopped" | "dead" = "runs";
  readonly #held: (() => void)[] = [];
  readonly #onDeath: (() => void)[] = [];

  constructor(id: string) {
    this.id = id;
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isStopped(): boolean {
    return this.#state === "stopped";
  }

  /** Runs the action now, when the process continues, or never. */
  run(action: () => void): void {
    if (this.#state === "runs") action();
    else if (this.#state === "stopped") this.#held.push(action);
  }

  /** Resolves when the process may continue; never for a dead one. */
  async pass(): Promise<void> {
    if (this.#state === "runs") return;
    await new Promise<void>((resolve) => this.run(resolve));
  }

  /** Calls `action` when it dies, which is where the kernel takes its locks and files back. */
  onDeath(action: () => void): void {
    this.#onDeath.push(action);
  }

  stop(): void {
    if (this.#state === "runs") this.#state = "stopped";
  }

  goOn(): void {
    if (this.#state !== "stopped") return;
    this.#state = "runs";
    for (const action of this.#held.splice(0)) this.run(action);
  }

  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#held.length = 0;
    for (const action of this.#onDeath) action();
  }
}
