/** What `script/mutate.ts` mutates, group by group, with the tests that hold it: fast ones, since each mutant runs them again. */
export interface MutationGroup {
  readonly name: string;
  /** Globs of the mutated files; tests among them are left out. */
  readonly files: readonly string[];
  /** Globs of the tests, in addition to those next to a file (`pacing.ts`, `pacing.test.ts`). */
  readonly tests: readonly string[];
  /** Least share of mutants that the tests kill, in percent. */
  readonly aim: number;
}

/** In the order in which they are mutated: the fast ones first. */
export const MUTATION_GROUPS: readonly MutationGroup[] = [
  {
    name: "redaction",
    files: ["src/mcp/redact*.ts", "src/lib/hide-secrets.ts"],
    tests: [],
    aim: 90,
  },
  {
    name: "pacing",
    files: ["src/ibkr/pacing*.ts", "src/ibkr/gate.ts", "src/ibkr/fair-queue.ts", "src/ibkr/rotation.ts"],
    tests: ["src/ibkr/pacing-rules.test.ts", "src/ibkr/pacing-table.test.ts"],
    aim: 85,
  },
  {
    name: "bearer check",
    files: ["src/auth/bearer.ts"],
    tests: ["src/auth/bearer-rules.test.ts"],
    aim: 85,
  },
  {
    name: "order endpoints",
    files: ["src/ibkr/endpoints/order*.ts", "src/ibkr/order*.ts"],
    tests: ["src/ibkr/endpoints/*.test.ts", "src/ibkr/order*.test.ts", "src/ibkr/live-orders.test.ts", "src/ibkr/sending-state.test.ts"],
    aim: 90,
  },
  {
    name: "trading",
    files: ["src/trading/*.ts"],
    tests: ["src/trading/*.test.ts"],
    aim: 90,
  },
];
