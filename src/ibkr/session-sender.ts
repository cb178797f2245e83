import type { GatewayError } from "../lib/errors.ts";
import type { Sender } from "./transport.ts";
import { TransportError } from "./transport-error.ts";

/** Lets requests go in a sender's name as long as there is no `refusal` when their turn has come: the proof that they were not sent. */
export function senderUntil(sender: Sender, refusal: () => GatewayError | undefined): Sender {
  return {
    ...sender,
    headers: (method, url) => {
      const cause = refusal();
      if (cause !== undefined) throw new TransportError("the session ended before sending", { sent: "never", reason: "session", cause });
      return sender.headers(method, url);
    },
  };
}
