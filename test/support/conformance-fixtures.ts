import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import {
  acceptedContent,
  completable,
  createRequestStateCodec,
  type InputRequest,
  inputRequired,
  type McpServer,
  ResourceTemplate,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";

import type { ServerExtension } from "../../src/mcp/sdk-server.ts";
import { createSessionLeg } from "./session-leg.ts";

/** One red pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A WAV header without samples. */
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
/** Pause between two notifications, so that a client must take them one by one. */
const STEP_MS = 50;

const noArguments = z.object({});
const text = (value: string) => ({ type: "text", text: value }) as const;
const textResult = (value: string) => ({ content: [text(value)] });

const states = createRequestStateCodec<{ round: number }>({ key: randomBytes(32), ttlSeconds: 60 });

/** What the conformance suite asks of a server beyond our own tools, served behind our transport and bearer check. */
export function conformanceFixtures(): ServerExtension {
  return {
    register: (server) => {
      server.server.registerCapabilities({
        logging: {},
        completions: {},
        resources: { subscribe: true },
      });
      registerContentTools(server);
      registerStreamingTools(server);
      registerClientRequestTools(server);
      registerInputRequiredTools(server);
      registerResources(server);
      registerPrompts(server);
    },
    requestState: { verify: (state, context) => states.verify(state, context) },
    serveLegacy: createSessionLeg(),
  };
}

function registerContentTools(server: McpServer): void {
  const image = { type: "image", data: PNG, mimeType: "image/png" } as const;
  const tool = (name: string, content: readonly unknown[]): void => {
    server.registerTool(name, { description: name, inputSchema: noArguments }, () => ({
      content: [...content] as [ReturnType<typeof text>],
    }));
  };
  tool("test_simple_text", [text("This is a simple text response for testing.")]);
  tool("test_image_content", [image]);
  tool("test_audio_content", [{ type: "audio", data: WAV, mimeType: "audio/wav" }]);
  tool("test_embedded_resource", [
    {
      type: "resource",
      resource: { uri: "test://embedded-resource", mimeType: "text/plain", text: "This is an embedded resource content." },
    },
  ]);
  tool("test_multiple_content_types", [
    text("Multiple content types test:"),
    image,
    {
      type: "resource",
      resource: { uri: "test://mixed-content-resource", mimeType: "application/json", text: '{"test":"data","value":123}' },
    },
  ]);
  server.registerTool("test_error_handling", { description: "Always fails", inputSchema: noArguments }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
}

function registerStreamingTools(server: McpServer): void {
  const log = async (context: ServerContext, message: string): Promise<void> => {
    await context.mcpReq.log("info", message);
    await delay(STEP_MS);
  };
  const logging = async (_args: unknown, context: ServerContext) => {
    await log(context, "Tool execution started");
    await log(context, "Tool processing data");
    await log(context, "Tool execution completed");
    return textResult("Logged.");
  };
  server.registerTool("test_tool_with_logging", { description: "Logs three times", inputSchema: noArguments }, logging);
  server.registerTool("test_logging_tool", { description: "Logs three times", inputSchema: noArguments }, logging);
  server.registerTool("test_tool_with_progress", { description: "Reports progress", inputSchema: noArguments }, async (_args, context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await context.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      }
      await delay(STEP_MS);
    }
    return textResult("Done.");
  });
}

const userForm = {
  type: "object",
  properties: { username: { type: "string" }, email: { type: "string" } },
  required: ["username", "email"],
} as const;

const defaultsForm = {
  type: "object",
  properties: {
    name: { type: "string", default: "John Doe" },
    age: { type: "integer", default: 30 },
    score: { type: "number", default: 95.5 },
    status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
    verified: { type: "boolean", default: true },
  },
} as const;

const titled = (values: readonly string[], titles: readonly string[]) =>
  values.map((value, index) => ({ const: value, title: titles[index] ?? value }));

const enumsForm = {
  type: "object",
  properties: {
    untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
    titledSingle: { type: "string", oneOf: titled(["value1", "value2", "value3"], ["First Option", "Second Option", "Third Option"]) },
    legacyEnum: { type: "string", enum: ["opt1", "opt2", "opt3"], enumNames: ["Option One", "Option Two", "Option Three"] },
    untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
    titledMulti: {
      type: "array",
      items: { anyOf: titled(["value1", "value2", "value3"], ["First Choice", "Second Choice", "Third Choice"]) },
    },
  },
} as const;

/** Tools that send a request to the client while they run, as the 2025 era does: on the stream of the call itself. */
function registerClientRequestTools(server: McpServer): void {
  type Form = Parameters<ServerContext["mcpReq"]["elicitInput"]>[0];
  const elicit = (name: string, inputSchema: z.ZodObject, form: (args: Record<string, unknown>) => object): void => {
    server.registerTool(name, { description: name, inputSchema }, async (args, context) => {
      const answer = await context.mcpReq.send({ method: "elicitation/create", params: form(args) as Form });
      return textResult(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content)}`);
    });
  };
  elicit("test_elicitation", z.object({ message: z.string() }), ({ message }) => ({ message, requestedSchema: userForm }));
  elicit("test_elicitation_sep1034_defaults", noArguments, () => ({ message: "Review the defaults", requestedSchema: defaultsForm }));
  elicit("test_elicitation_sep1330_enums", noArguments, () => ({ message: "Choose", requestedSchema: enumsForm }));
  server.registerTool(
    "test_sampling",
    { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, context) => {
      const answer = await context.mcpReq.send({
        method: "sampling/createMessage",
        params: { messages: [{ role: "user", content: text(prompt) }], maxTokens: 100 },
      });
      return textResult(`LLM response: ${JSON.stringify(answer.content)}`);
    },
  );
}

const ask = (message: string, properties: Record<string, { type: "string" } | { type: "boolean" }>) =>
  inputRequired.elicit({ message, requestedSchema: { type: "object", properties, required: Object.keys(properties) } });
const sample = (question: string, maxTokens: number): InputRequest => ({
  method: "sampling/createMessage",
  params: { messages: [{ role: "user", content: text(question) }], maxTokens },
});
const roots = { method: "roots/list", params: {} } as const;

/** Tools that answer `input_required`, as 2026-07-28 does. */
function registerInputRequiredTools(server: McpServer): void {
  const tool = (name: string, run: (context: ServerContext) => Promise<Step>): void => {
    server.registerTool(name, { description: name, inputSchema: noArguments }, (_args, context) => run(context));
  };
  const nameQuestion = ask("What is your name?", { name: { type: "string" } });
  tool("test_input_required_result_elicitation", async ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, "user_name", z.object({ name: z.string() }));
    return answer === undefined ? inputRequired({ inputRequests: { user_name: nameQuestion } }) : textResult(`Hello, ${answer.name}!`);
  });
  tool("test_input_required_result_sampling", async (context) =>
    answered(context)
      ? textResult("Sampled.")
      : inputRequired({ inputRequests: { capital_question: sample("What is the capital of France?", 100) } }),
  );
  tool("test_input_required_result_list_roots", async (context) =>
    answered(context) ? textResult("Roots listed.") : inputRequired({ inputRequests: { client_roots: roots } }),
  );
  for (const name of ["test_input_required_result_request_state", "test_input_required_result_tampered_state"]) {
    tool(name, async (context) =>
      answered(context)
        ? textResult("state-ok")
        : inputRequired({
            inputRequests: { confirm: ask("Please confirm", { ok: { type: "boolean" } }) },
            requestState: await states.mint({ round: 1 }),
          }),
    );
  }
  tool("test_input_required_result_multiple_inputs", async (context) =>
    answered(context)
      ? textResult("All answered.")
      : inputRequired({
          inputRequests: { user_name: nameQuestion, greeting: sample("Generate a greeting", 50), client_roots: roots },
          requestState: await states.mint({ round: 1 }),
        }),
  );
  tool("test_input_required_result_multi_round", async (context) => {
    const { inputResponses } = context.mcpReq;
    if (inputResponses?.["step2"] !== undefined) return textResult("Both steps answered.");
    const second = inputResponses?.["step1"] !== undefined;
    const question = second
      ? { step2: ask("Step 2: What is your favorite color?", { color: { type: "string" } }) }
      : { step1: ask("Step 1: What is your name?", { name: { type: "string" } }) };
    return inputRequired({ inputRequests: question, requestState: await states.mint({ round: second ? 2 : 1 }) });
  });
  tool("test_input_required_result_capabilities", async (context) => {
    const envelope: Readonly<Record<string, unknown>> = context.mcpReq.envelope ?? {};
    const capabilities = z
      .looseObject({ elicitation: z.unknown(), sampling: z.unknown() })
      .partial()
      .parse(envelope["io.modelcontextprotocol/clientCapabilities"] ?? {});
    return inputRequired({
      inputRequests: {
        ...(capabilities?.elicitation === undefined ? {} : { user_name: nameQuestion }),
        ...(capabilities?.sampling === undefined ? {} : { greeting: sample("Generate a greeting", 50) }),
      },
    });
  });
  tool("test_missing_capability", async () => inputRequired({ inputRequests: { needs_sampling: sample("Anything?", 10) } }));
  tool("test_streaming_elicitation", async (context) => {
    if (answered(context)) return textResult("Answered.");
    await context.mcpReq.log("info", "Asking");
    return inputRequired({ inputRequests: { user_name: nameQuestion } });
  });
}

type Step = ReturnType<typeof textResult> | ReturnType<typeof inputRequired>;

function answered(context: ServerContext): boolean {
  return Object.keys(context.mcpReq.inputResponses ?? {}).length > 0;
}

function registerResources(server: McpServer): void {
  const plain = { mimeType: "text/plain" };
  server.registerResource("static-text", "test://static-text", plain, (uri) => ({
    contents: [{ uri: uri.href, ...plain, text: "This is the content of the static text resource." }],
  }));
  server.registerResource("static-binary", "test://static-binary", { mimeType: "image/png" }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: "image/png", blob: PNG }],
  }));
  server.registerResource("watched-resource", "test://watched-resource", plain, (uri) => ({
    contents: [{ uri: uri.href, ...plain, text: "Watched." }],
  }));
  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  server.registerResource("template", template, { mimeType: "application/json" }, (uri, { id }) => ({
    contents: [
      { uri: uri.href, mimeType: "application/json", text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }) },
    ],
  }));
  server.server.setRequestHandler("resources/subscribe", () => ({}));
  server.server.setRequestHandler("resources/unsubscribe", () => ({}));
}

function registerPrompts(server: McpServer): void {
  const user = <Content>(content: Content) => ({ role: "user", content }) as const;
  server.registerPrompt("test_simple_prompt", { description: "A simple prompt" }, () => ({
    messages: [user(text("This is a simple prompt for testing."))],
  }));
  const word = completable(z.string(), (value) => ["testValue1", "paris", "park"].filter((candidate) => candidate.startsWith(value)));
  server.registerPrompt(
    "test_prompt_with_arguments",
    { description: "A prompt with arguments", argsSchema: z.object({ arg1: word, arg2: z.string() }) },
    ({ arg1, arg2 }) => ({ messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))] }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "A prompt with a resource", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        user({
          type: "resource" as const,
          resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." },
        }),
        user(text("Please process the embedded resource above.")),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "A prompt with an image" }, () => ({
    messages: [user({ type: "image" as const, data: PNG, mimeType: "image/png" }), user(text("Please analyze the image above."))],
  }));
  server.registerPrompt("test_input_required_result_prompt", { description: "A prompt that asks first" }, (context) => {
    const answer = acceptedContent(context.mcpReq.inputResponses, "user_context", z.object({ context: z.string() }));
    if (answer !== undefined) return { messages: [user(text(`Use ${answer.context}.`))] };
    return inputRequired({ inputRequests: { user_context: ask("What context should the prompt use?", { context: { type: "string" } }) } });
  });
}
