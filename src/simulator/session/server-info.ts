/** What the simulator calls itself where IBKR names its server. */
export const SERVER_INFO = { serverName: "JifN19053", serverVersion: "Build 10.44.1d, Mar 3, 2026 1:55:32 PM" };
