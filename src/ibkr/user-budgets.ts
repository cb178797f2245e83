import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { Pacer } from "./pacing.ts";
import type { PacingObserver } from "./pacing-observer.ts";
import { ENDPOINT_LIMITS, type Face, GLOBAL_LIMITS } from "./pacing-table.ts";
import { SelectedAccount } from "./selected-account.ts";

/** What all links of one IBKR user have in common in this process. */
export interface UserBudget {
  /** Lets the user's requests go upstream, those of all links together. */
  readonly pacer: Pacer;
  /** The account that IBKR has selected in the user's brokerage session. */
  readonly selection: SelectedAccount;
  /** Told who is logged in: from now on the budget is that user's, together with all links of theirs. */
  rename(userName: string): void;
  /** This link is closed. */
  leave(): void;
}

/** How a link joins. */
export interface JoinOptions {
  /**
   * True where IBKR itself tells the user name. A gateway that somebody runs may say anything, so its word counts among
   * the connections of its owner only.
   */
  readonly isVouched?: boolean;
}

/** Sums over all users; no one is named. */
export interface BudgetFigures {
  /** IBKR users with a link. */
  readonly users: number;
  readonly queuedUrgent: number;
  readonly queuedReads: number;
  readonly inFlight: number;
}

/**
 * The budgets of all IBKR users in this process. Another process on the same user name has budgets of its own: four
 * fifths of IBKR's limit leave room for a person beside us, not for a second gateway.
 */
export interface UserBudgets {
  /**
   * A link's share in its user's budget. `identity` is what is known before the user's name is: where it logs in and as
   * whom (base URL, consumer key and access token's digest; the URL of a gateway, which has one login). A consumer key alone is public.
   */
  join(identity: string, face: Face, options?: JoinOptions): UserBudget;
  /** The same budgets, seen by the connections of one of the gateway's own users. */
  ofOwner(userId: string): UserBudgets;
  figures(): BudgetFigures;
}

/** After its last link a budget is kept as long as IBKR's longest penalty: what was spent, and a penalty, outlast a link. */
const KEPT_MS = 900_000;
/** Most budgets that are kept without a link; as many as the pool has links. */
const MAX_KEPT = 2000;

/** Makes the budgets, none at first: one is made when a user's first link joins, and forgotten a quarter of an hour after the last left. */
export function createUserBudgets(deps: { readonly clock: Clock; readonly log: Log; readonly observer?: PacingObserver }): UserBudgets {
  const groups = new Set<Group>();
  const budgetsOf = (owner: string): UserBudgets => ({
    join: (identity, face, options = {}) => {
      forgetOld(groups, deps.clock.monotonic());
      const name = JSON.stringify(["login", identity]);
      const group = groupOf(groups, name) ?? newGroup(deps, name);
      groups.add(group);
      return new Member({ groups, group, owner, face, isVouched: options.isVouched === true, clock: deps.clock });
    },
    ofOwner: budgetsOf,
    figures: () => sum(groups),
  });
  return budgetsOf("");
}

/** A user's budget, the names by which that user is known, and the faces of the links that share it. */
interface Group {
  readonly pacer: Pacer;
  readonly selection: SelectedAccount;
  readonly names: Set<string>;
  readonly members: Set<Member>;
  /** When the last link left, by the monotonic clock. */
  leftAt: number;
}

function newGroup(deps: ConstructorParameters<typeof Pacer>[0], name: string): Group {
  return {
    pacer: new Pacer(deps, LIMITS),
    selection: new SelectedAccount(deps.clock),
    names: new Set([name]),
    members: new Set(),
    leftAt: -Infinity,
  };
}

/** Forgets the budgets that were left long ago, and the longest left of too many. */
function forgetOld(groups: Set<Group>, now: number): void {
  const left = [...groups].filter(({ members }) => members.size === 0).toSorted((a, b) => b.leftAt - a.leftAt);
  for (const [index, group] of left.entries()) if (index >= MAX_KEPT || now - group.leftAt >= KEPT_MS) groups.delete(group);
}

const LIMITS = { global: GLOBAL_LIMITS.oauth, endpoints: ENDPOINT_LIMITS };

function groupOf(groups: ReadonlySet<Group>, name: string): Group | undefined {
  return [...groups].find((group) => group.names.has(name));
}

function sum(groups: ReadonlySet<Group>): BudgetFigures {
  let [users, queuedUrgent, queuedReads, inFlight] = [0, 0, 0, 0];
  for (const { pacer, members } of groups) {
    if (members.size > 0) users += 1;
    queuedUrgent += pacer.figures.urgent;
    queuedReads += pacer.figures.reads;
    inFlight += pacer.figures.inFlight;
  }
  return { users, queuedUrgent, queuedReads, inFlight };
}

interface MemberFacts {
  readonly groups: Set<Group>;
  readonly group: Group;
  readonly owner: string;
  readonly face: Face;
  readonly isVouched: boolean;
  readonly clock: Clock;
}

/** One link's share. It moves to another budget when its user turns out to have one already. */
class Member implements UserBudget {
  readonly face: Face;
  readonly #groups: Set<Group>;
  readonly #owner: string;
  readonly #isVouched: boolean;
  readonly #clock: Clock;
  group: Group;

  constructor({ groups, group, owner, face, isVouched, clock }: MemberFacts) {
    this.#groups = groups;
    this.group = group;
    this.#owner = owner;
    this.face = face;
    this.#isVouched = isVouched;
    this.#clock = clock;
    group.members.add(this);
    fitLimit(group);
  }

  get pacer(): Pacer {
    return this.group.pacer;
  }

  get selection(): SelectedAccount {
    return this.group.selection;
  }

  rename(userName: string): void {
    const name = userName.toLowerCase();
    const names = [JSON.stringify(["owner", this.#owner, name]), ...(this.#isVouched ? [JSON.stringify(["user", name])] : [])];
    for (const alias of names) {
      const known = groupOf(this.#groups, alias);
      if (known !== undefined && known !== this.group) merge(this.#groups, { from: this.group, into: known });
      this.group.names.add(alias);
    }
  }

  leave(): void {
    this.group.members.delete(this);
    if (this.group.members.size === 0) this.group.leftAt = this.#clock.monotonic();
    else fitLimit(this.group);
  }
}

function merge(groups: Set<Group>, { from, into }: { from: Group; into: Group }): void {
  groups.delete(from);
  for (const name of from.names) into.names.add(name);
  for (const member of from.members) {
    member.group = into;
    into.members.add(member);
  }
  into.selection.forget();
  fitLimit(into);
  from.pacer.joinInto(into.pacer);
}

/** IBKR counts by user name: with a gateway among the user's links, the gateway's limit holds for all. */
function fitLimit(group: Group): void {
  const hasGateway = [...group.members].some((member) => member.face === "gateway");
  group.pacer.limitTo(GLOBAL_LIMITS[hasGateway ? "gateway" : "oauth"]);
}
