import { z } from "zod";

import type { ApiRequest } from "../transport.ts";
import { decimal } from "./reply.ts";

/** `GET /iserver/exchangerate`: units of `target` for one unit of `source`. */
export function exchangeRateRequest(source: string, target: string): ApiRequest {
  const path = "/iserver/exchangerate";
  return { method: "GET", path, endpoint: path, query: { source, target } };
}

/** The rate. */
export const exchangeRateReply = z.looseObject({ rate: decimal });
