// The options of `npm start`, read by the script that sets up and by the one that measures.

export const RUN_OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  viewers: { type: 'string' },
  seconds: { type: 'string' },
  stagger: { type: 'string' },
  json: { type: 'string' },
  browser: { type: 'string' },
  content: { type: 'string' },
  key: { type: 'string' },
  height: { type: 'string' },
  port: { type: 'string' },
  live: { type: 'boolean' },
  encoder: { type: 'string' },
  'low-latency': { type: 'boolean' },
  control: { type: 'boolean' },
  pairs: { type: 'string' },
  churn: { type: 'string' },
  fault: { type: 'string' },
  skew: { type: 'string' },
};
