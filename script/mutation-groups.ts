/** What `script/mutate.ts` mutates, group by group, with the tests that hold it: fast ones, since each mutant runs them again. */
export interface MutationGroup {
  readonly name: string;
  /** Globs of the mutated files; tests among them are left out. */
  readonly files: readonly string[];
  /** Globs of the tests. */
  readonly tests: readonly string[];
  /** Least share of mutants that the tests kill, in percent. */
  readonly aim: number;
}

/** In the order in which they are mutated: the fast ones first. */
export const MUTATION_GROUPS: readonly MutationGroup[] = [
  {
    name: "redaction",
    files: ["src/mcp/redact*.ts", "src/lib/hide-secrets.ts"],
    tests: ["src/mcp/redact*.test.ts", "src/lib/hide-secrets.test.ts"],
    aim: 90,
  },
  {
    name: "pacing",
    files: ["src/ibkr/pacing*.ts", "src/ibkr/gate.ts", "src/ibkr/fair-queue.ts", "src/ibkr/rotation.ts"],
    // Without pacing.test.ts, which never ends on many mutants, and pacing-bounds.test.ts, which takes seconds.
    tests: ["src/ibkr/pacing-{rules,turns,table,observer}.test.ts", "src/ibkr/gate.test.ts", "src/ibkr/fair-queue.test.ts"],
    aim: 85,
  },
  {
    name: "bearer check",
    files: ["src/auth/bearer.ts"],
    // Without bearer.test.ts, which starts PostgreSQL and measures the speed with 100,000 keys.
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
