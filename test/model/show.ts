/** Prints the searches of the model whose name contains the first argument, with the trace to each broken promise. */
import { explore } from "./explore.ts";
import { BELIEFS, STORMS, TAKEN_AWAY, WITH, WITHOUT } from "./runs.ts";

const [wanted = ""] = process.argv.slice(2);
const groups = { "without its rules": WITHOUT, "with its rules": WITH, "all faults": STORMS, if: BELIEFS, without: TAKEN_AWAY };

for (const [group, runs] of Object.entries(groups))
  for (const { name, rules, scenario, only } of runs.filter((run) => run.name.includes(wanted))) {
    const { broken, trace, states } = explore(rules, scenario, only);
    process.stdout.write(`${group}, ${name}: ${broken ?? "every promise holds"} (${states} states)\n`);
    for (const label of trace) process.stdout.write(`    ${label}\n`);
  }
