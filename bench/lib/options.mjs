// The options of `npm run bench`, read by the part that installs and by the one that measures.

export const BENCH_OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  list: { type: 'boolean' },
  built: { type: 'boolean' },
  json: { type: 'string' },
  add: { type: 'boolean' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  only: { type: 'string', multiple: true },
};

export const USAGE = `npm run bench                    every scenario
npm run bench -- SCENARIO…       some of them; the beginning of a name stands for all that have it
  --list                         what there is
  --rounds N                     how often each contender has its turn (5)
  --seconds S                    how long viewers play, where a scenario plays
  --only CONTENDER               this one alone (may be repeated)
  --json FILE                    write every round and the summary
  --add                          keep the rounds that FILE holds, and add to them
  --built                        do not build first`;
