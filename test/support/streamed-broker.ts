import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { createIbkrBroker, type IbkrBroker } from "../../src/ibkr/ibkr-broker.ts";
import { prepareConsumer } from "../../src/ibkr/oauth1a.ts";
import { OAuthLogin } from "../../src/ibkr/oauth-login.ts";
import { createSocketEdge, type SocketEdge } from "../../src/ibkr/socket-edge.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "../../src/simulator/index.ts";
import { type FastClock, fastClock } from "./fast-clock.ts";
import { silentLog } from "./silent-log.ts";

/** A broker with its stream, on a simulator of its own that can be steered. */
export interface StreamedBroker {
  readonly broker: IbkrBroker;
  readonly simulator: Simulator;
  readonly clock: FastClock;
  /** `METHOD path` of every request, in order. */
  readonly sent: readonly string[];
  /** Frames that were sent on sockets, in order. */
  readonly frames: readonly string[];
  /** Sockets that were opened so far. */
  readonly opened: () => number;
  /** Cuts the open sockets as a broken cable does; with `stays`, new ones can't be had either until it is mended. */
  cut(stays?: boolean): void;
  mend(): void;
  /** Steers the simulator. */
  control(path: string, body?: object, method?: string): Promise<void>;
  /** Waits until something has come about; at most half a minute of the clock. */
  until(happened: () => boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

const STEP_MS = 50;
const MAX_STEPS = 1200;

/** Starts both, on one fast clock. */
export async function streamedBroker(options: SimulatorOptions = {}): Promise<StreamedBroker> {
  const clock = fastClock(10);
  const simulator = await createSimulator({ clock, control: true, ...options });
  const sent: string[] = [];
  const frames: string[] = [];
  const cables = new Set<() => void>();
  let opened = 0;
  let isCut = false;
  const real = createSocketEdge();
  const socket: SocketEdge = (url, { headers, listener }) => {
    opened += 1;
    if (isCut) {
      queueMicrotask(() => listener.ended("cut"));
      return { send: () => undefined, end: () => undefined };
    }
    const connection = real(url, { headers, listener });
    const cut = () => {
      connection.end();
      listener.ended("cut");
    };
    cables.add(cut);
    return {
      send: (text) => {
        frames.push(text);
        connection.send(text);
      },
      end: () => {
        cables.delete(cut);
        connection.end();
      },
    };
  };
  const edge: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    sent.push(`${init?.method ?? "GET"} ${url.pathname.replace("/v1/api", "")}`);
    return fetch(input, init);
  };
  const { baseUrl, credentials } = simulator;
  const consumer = prepareConsumer({
    ...credentials,
    accessTokenSecret: new Secret(credentials.accessTokenSecret),
    privateSignaturePem: new Secret(credentials.privateSignaturePem),
    privateEncryptionPem: new Secret(credentials.privateEncryptionPem),
  });
  const broker = createIbkrBroker(
    {
      baseUrl,
      login: new OAuthLogin({ consumer, baseUrl, clock, random: systemRandom }),
      proveMode: () => Promise.resolve("simulated"),
      expectedMode: "simulated",
      clock,
      random: systemRandom,
      log: silentLog,
      fetch: edge,
      socket,
    },
    { logoutOnClose: true },
  );
  return {
    broker,
    simulator,
    clock,
    sent,
    frames,
    opened: () => opened,
    cut: (stays = false) => {
      isCut = stays;
      for (const cut of cables) {
        cables.delete(cut);
        cut();
      }
    },
    mend: () => {
      isCut = false;
    },
    control: async (path, body = {}, method = "POST") => {
      const { url = "", token = "" } = simulator.control ?? {};
      const response = await fetch(`${url}/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(method === "DELETE" ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    },
    until: async (happened, what) => {
      for (let step = 0; !happened(); step += 1) {
        if (step >= MAX_STEPS) throw new Error(`it never came about: ${what}`);
        await clock.wait(STEP_MS);
      }
    },
    close: async () => {
      await broker.close();
      await simulator.close();
    },
  };
}
