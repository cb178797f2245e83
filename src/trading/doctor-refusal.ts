/** The doctor does not run, or runs no further; the message says why in one line. */
export class DoctorRefusal extends Error {
  override readonly name = "DoctorRefusal";
}

const INVENTED_MONEY: ReadonlySet<string> = new Set(["simulated", "paper"]);

/** Refuses real money: what the connection was made for and, once known, what its broker proved must both be paper or simulated. */
export function refuseRealMoney(...modes: readonly string[]): void {
  if (modes.every((mode) => INVENTED_MONEY.has(mode))) return;
  throw new DoctorRefusal("The doctor places orders, so it runs on paper and simulated connections only. Nothing was sent.");
}
