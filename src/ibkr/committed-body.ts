import type { Leave } from "../broker/broker.ts";
import { TransportError } from "./transport-error.ts";

/**
 * The body of a request that changes something, handed over once. `fetch` sends a text a second time by itself where the
 * answer is 421; it can't do so with a stream. The stream is first read when the connection stands, and no byte of the
 * request is written before that read: so this is the last moment at which it can be kept back.
 */
export class CommittedBody {
  readonly #text: string | undefined;
  readonly #leave: Leave | undefined;
  #refusal: TransportError | undefined;

  constructor(body: unknown, leave: Leave | undefined) {
    this.#text = body === undefined ? undefined : JSON.stringify(body);
    this.#leave = leave;
  }

  /** Why it was kept back; undefined where it left, or never came so far. */
  get refusal(): TransportError | undefined {
    return this.#refusal;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#text === undefined ? {} : { "content-length": String(Buffer.byteLength(this.#text)) };
  }

  get init(): RequestInit {
    const text = this.#text;
    if (text === undefined) return {};
    let isTaken = false;
    const stream = new ReadableStream(
      {
        // A stream of bytes without a buffer of its own is read only when its reader reads.
        type: "bytes",
        pull: async (controller) => {
          if (isTaken) return controller.close();
          isTaken = true;
          await this.#depart();
          controller.enqueue(new TextEncoder().encode(text));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    return { body: stream, duplex: "half" };
  }

  async #depart(): Promise<void> {
    try {
      await this.#leave?.allow();
      this.#leave?.check();
    } catch (error) {
      this.#refusal = new TransportError("kept back right before sending", { sent: "never", reason: "refused", cause: error });
      throw this.#refusal;
    }
  }
}
