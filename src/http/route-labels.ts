/** Makes the function that names a path's route in figures: the route's pattern, or `other`. */
export function createRouteLabels(patterns: readonly string[]): (path: string) => string {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes(":")));
  const varying = patterns
    .filter((pattern) => pattern.includes(":"))
    .map((pattern) => ({ pattern, test: new RegExp(`^${pattern.replace(/:[a-z]+/g, "[^/]+")}$`) }));
  return (path) => (exact.has(path) ? path : (varying.find(({ test }) => test.test(path))?.pattern ?? "other"));
}
