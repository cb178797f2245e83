/** Longest name that is compared; anything longer is no typing mistake. */
const MAX_LENGTH = 64;

/** Finds the name that `given` most likely was meant to be: at most a third of its letters differ. */
export function closestName(given: string, names: Iterable<string>): string | undefined {
  const wanted = normalise(given);
  if (wanted === "" || wanted.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const candidate = normalise(name);
    const contained = candidate.length > 3 && wanted.length > 3 && (candidate.includes(wanted) || wanted.includes(candidate));
    const distance = contained ? Math.min(2, bestDistance - 1) : editDistance(wanted, candidate);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

function normalise(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** Levenshtein's distance; both texts are short. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
