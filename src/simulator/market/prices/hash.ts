/** Mixes two 32-bit words into one (the finaliser of MurmurHash3 over a golden-ratio combination). */
export function mix(key: number, value: number): number {
  let word = Math.imul(key ^ Math.imul(value | 0, 0x9e3779b1), 0x85ebca6b);
  word ^= word >>> 13;
  word = Math.imul(word + Math.imul(value, 0x27d4eb2f), 0xc2b2ae35);
  word ^= word >>> 16;
  word = Math.imul(word, 0x7feb352d);
  return word ^ (word >>> 15);
}

/** A 32-bit word of a text (FNV-1a, then mixed). */
export function hashText(text: string): number {
  let word = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) word = Math.imul(word ^ text.charCodeAt(index), 0x01000193);
  return mix(word, text.length);
}

/** A fraction in [0, 1) from a key and a number. */
export function fraction(key: number, value: number): number {
  return (mix(key, value) >>> 0) / 4_294_967_296;
}

/** A number that is nearly normal with mean 0 and deviation 1, never beyond ±3.5 (sum of four uniform ones). */
export function nearlyNormal(key: number, value: number): number {
  const first = mix(key, value);
  const second = mix(first, value);
  const third = mix(second, value);
  const fourth = mix(third, value);
  const sum = (first >>> 0) + (second >>> 0) + (third >>> 0) + (fourth >>> 0);
  return (sum / 4_294_967_296 - 2) * Math.sqrt(3);
}
