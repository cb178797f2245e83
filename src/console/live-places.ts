/** Places for pages that are kept current, so that nobody takes more than their share. */
export interface LivePlaces {
  /** Takes a place; undefined when this user or all together have too many. Answers how to give it back; more than once does no harm. */
  reserve(userId: string): (() => void) | undefined;
}

/** Counts places in memory. */
export function createLivePlaces({ maxOfUser, maxOfAll }: { readonly maxOfUser: number; readonly maxOfAll: number }): LivePlaces {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    reserve: (userId) => {
      const ofUser = taken.get(userId) ?? 0;
      if (all >= maxOfAll || ofUser >= maxOfUser) return undefined;
      all += 1;
      taken.set(userId, ofUser + 1);
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        all -= 1;
        const left = (taken.get(userId) ?? 1) - 1;
        if (left === 0) taken.delete(userId);
        else taken.set(userId, left);
      };
    },
  };
}
