// Middle and spread of a few rounds.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) {
    return null;
  }
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** {median, lowest, highest, rounds} of the numbers among `values`; null if there are none. */
export function spread(values) {
  const numbers = values.filter((value) => typeof value === 'number' && Number.isFinite(value));
  if (numbers.length === 0) {
    return null;
  }
  return {
    median: median(numbers),
    lowest: Math.min(...numbers),
    highest: Math.max(...numbers),
    rounds: numbers.length,
  };
}

/**
 * For each contender and figure the spread over the rounds, and the median of what `subject` has over what the others
 * have in the same round.
 */
export function summarise(results, figures, subject) {
  const contenders = [...new Set(results.map(({ contender }) => contender))];
  const rows = contenders.map((contender) => {
    const own = results.filter((result) => result.contender === contender);
    const failures = own.filter(({ failure }) => failure !== undefined).map(({ failure }) => failure);
    return {
      contender,
      rounds: own.length,
      failed: failures.length,
      failures: [...new Set(failures)],
      figures: byFigure(figures, (key) => spread(own.map((result) => result.figures[key]))),
      ratios:
        contender === subject || !contenders.includes(subject)
          ? {}
          : byFigure(figures, (key) => ratioIn(results, key, subject, contender)),
    };
  });
  return rows;
}

function ratioIn(results, key, subject, other) {
  const value = (round, contender) =>
    results.find((result) => result.round === round && result.contender === contender)?.figures[key];
  const rounds = [...new Set(results.map(({ round }) => round))];
  const ratios = rounds
    .map((round) => [value(round, subject), value(round, other)])
    .filter(([own, theirs]) => own > 0 && theirs > 0)
    .map(([own, theirs]) => own / theirs);
  return median(ratios);
}

function byFigure(figures, of) {
  return Object.fromEntries(
    figures.map(({ key }) => [key, of(key)]).filter(([, value]) => value !== null && value !== undefined),
  );
}
