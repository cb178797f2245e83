/** IBKR's account numbers: live (`U1234567`, `F…`, `I…`) and paper (`DU1234567`, `DUO…`, `DF…`), also after an escaped line break. */
const ACCOUNT = /(?<![A-Z0-9])(DU[A-Z]?|DF|DI|U|F|I)\d{3,7}(\d{2})[A-Z]?(?![A-Za-z0-9])/g;

/** Leaves of each account number in a text its letters and its last two digits: enough to tell a person's few accounts apart. */
export function maskAccounts(text: string): string {
  return text.replaceAll(ACCOUNT, "$1…$2");
}
