import type { ConnectionJournal, GatewayEvent, GatewayEventFacts } from "../../auth/connection-journal.ts";
import { background, type Log } from "../../lib/log.ts";
import { type ConnectionKey, findConnection } from "../../storage/connections.ts";
import type { Storage } from "../../storage/storage.ts";
import type { OnAlarm } from "../../trading/alarm.ts";
import { draftText, parseDraft } from "../../trading/order-draft.ts";
import type { OnUnresolved } from "../../trading/order-watch.ts";

export interface OrderNotesDeps {
  readonly storage: Storage;
  readonly journal: ConnectionJournal;
  readonly log: Log;
}

/** Notifies owners in their activity and recent errors. */
export interface OrderNotes {
  readonly onAlarm: OnAlarm;
  readonly onUnresolved: OnUnresolved;
}

/** Creates the notes that trading calls for orders which need their owner. */
export function createOrderNotes({ storage, journal, log }: OrderNotesDeps): OrderNotes {
  const note = async (event: GatewayEvent, key: ConnectionKey, factsOf: () => GatewayEventFacts): Promise<void> => {
    const row = await findConnection(storage, key);
    // Deleted with its orders meanwhile.
    if (row === undefined) return;
    journal.noteByGateway(event, { ...key, label: row.label, mode: row.mode, kind: row.kind }, factsOf());
  };
  return {
    onAlarm: ({ userId, connectionId, requestId, customerOrderId, because }) => {
      const details = { order_request: requestId, order_ref: customerOrderId };
      const noted = note("connection.orders_stopped", { userId, connectionId }, () => ({ because, code: "orders_stopped", details }));
      background(noted, log, "noting that orders were stopped");
    },
    onUnresolved: ({ id, user_id: userId, connection_id: connectionId, client_order_id: clientOrderId, ticket }) => {
      log.warn({ request: id, connection: connectionId }, "an order of unknown outcome needs its owner's decision");
      const details = { order_request: id, client_order_id: clientOrderId };
      const facts = () => ({ because: draftText(parseDraft(ticket)), code: "outcome_unresolved", details });
      background(note("order.unresolved", { userId, connectionId }, facts), log, "noting an order of unknown outcome");
    },
  };
}
