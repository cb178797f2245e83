import type { Route } from "./route.ts";

/** A route that fits a request, with the decoded values of its `{name}` parts. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route for a method and a path without `/v1/api`. */
export type Router = (method: string, path: string) => RouteMatch | undefined;

interface CompiledRoute {
  readonly route: Route;
  readonly segments: readonly string[];
}

/**
 * Builds a router; where two routes fit, the one whose literal parts come first wins (`/portfolio/accounts` before
 * `/portfolio/{accountId}`). Throws when two routes have the same method and shape.
 */
export function createRouter(routes: readonly Route[]): Router {
  const byShape = new Map<string, CompiledRoute[]>();
  const shapes = new Set<string>();
  for (const route of routes) {
    const segments = segmentsOf(route.path);
    const shape = `${route.method} ${segments.map((segment) => (isParameter(segment) ? "{}" : segment)).join("/")}`;
    if (shapes.has(shape)) throw new Error(`two routes for ${shape}`);
    shapes.add(shape);
    const key = keyOf(route.method, segments.length);
    byShape.set(key, [...(byShape.get(key) ?? []), { route, segments }]);
  }
  for (const group of byShape.values()) group.sort((a, b) => compareByLiterals(a.segments, b.segments));
  return (method, path) => {
    const segments = segmentsOf(path);
    for (const { route, segments: pattern } of byShape.get(keyOf(method, segments.length)) ?? []) {
      const params = fit(pattern, segments);
      if (params !== undefined) return { route, params };
    }
    return undefined;
  };
}

function segmentsOf(path: string): readonly string[] {
  return path.replace(/\/$/, "").split("/").slice(1);
}

function keyOf(method: string, length: number): string {
  return `${method} ${length}`;
}

function isParameter(segment: string): boolean {
  return segment.startsWith("{");
}

function compareByLiterals(a: readonly string[], b: readonly string[]): number {
  for (const [index, segment] of a.entries()) {
    const difference = Number(isParameter(segment)) - Number(isParameter(b[index] ?? ""));
    if (difference !== 0) return difference;
  }
  return 0;
}

function fit(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (!isParameter(part) && part !== segment) return undefined;
    const value = isParameter(part) ? decode(segment) : segment;
    if (value === undefined || value === "") return undefined;
    if (isParameter(part)) params[part.slice(1, -1)] = value;
  }
  return params;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
