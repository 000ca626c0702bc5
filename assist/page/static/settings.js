// What one person prefers on this machine: how much the page shows.

const DENSITY = "huashu.density";
export const DENSITIES = ["novice", "expert"];

/** "novice": card, why, technique and folded cards; "expert": the card alone, answers only when asked. */
export function density() {
  const stored = localStorage.getItem(DENSITY);
  return DENSITIES.includes(stored) ? stored : "novice";
}

/** Remembers the choice. */
export function setDensity(value) {
  localStorage.setItem(DENSITY, value);
}
